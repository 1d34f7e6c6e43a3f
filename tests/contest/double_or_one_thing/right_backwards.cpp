#include <iostream>
#include <string>
using namespace std;
int main() {
    int t;
    cin >> t;
    string s;
    for (int c = 1; cin >> s; ++c) {
        string best;
        for (int i = s.size() - 1; i >= 0; --i) best = min(s[i] + best, string(2, s[i]) + best);
        cout << "Case #" << c << ": " << best << endl;
    }
}
