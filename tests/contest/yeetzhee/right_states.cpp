#include <iomanip>
#include <iostream>
#include <map>
#include <vector>
using namespace std;
typedef vector<signed char> State;
static State target;
static map<State, double> known;

static double rolls(const State& s) {
    if (s == target) return 0;
    auto found = known.find(s);
    if (found != known.end()) return found->second;
    int m = s.size(), ways = 0;
    double sum = 0;
    for (int i = 0, j; i < m; i = j) {
        for (j = i; j < m && s[j] == s[i]; ++j) {
        }
        if (s[i] == target[i]) continue;
        State next = s;
        ++next[i];
        sum += (j - i) * rolls(next);
        ways += j - i;
    }
    return known[s] = (m + sum) / ways;
}

int main() {
    int t;
    cin >> t;
    for (int c = 1; c <= t; ++c) {
        int n, m, k;
        cin >> n >> m >> k;
        target.assign(m, 0);
        for (int i = k - 1, a; i >= 0; --i) cin >> a, target[i] = a;
        known.clear();
        cout << "Case #" << c << ": " << setprecision(9) << rolls(State(m, 0)) << "\n";
    }
}
