#include <algorithm>
#include <cstdio>
#include <iostream>
#include <vector>
using namespace std;
static vector<int> target;
static double rolls(vector<int> s) {
    sort(s.rbegin(), s.rend());
    if (s == target) return 0;
    double sum = 0;
    int ways = 0;
    for (size_t i = 0; i < s.size(); ++i) {
        vector<int> next = s;
        ++next[i];
        vector<int> sorted = next;
        sort(sorted.rbegin(), sorted.rend());
        bool fits = true;
        for (size_t j = 0; j < s.size(); ++j) fits = fits && sorted[j] <= target[j];
        if (!fits) continue;
        sum += rolls(next);
        ++ways;
    }
    return (s.size() + sum) / ways;
}
int main() {
    int t;
    cin >> t;
    for (int c = 1; c <= t; ++c) {
        int n, m, k;
        cin >> n >> m >> k;
        target.assign(m, 0);
        for (int i = k - 1; i >= 0; --i) cin >> target[i];
        printf("Case #%d: %.9f\n", c, rolls(vector<int>(m, 0)));
    }
}
