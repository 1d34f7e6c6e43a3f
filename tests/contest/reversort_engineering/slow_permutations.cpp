#include <algorithm>
#include <iostream>
#include <numeric>
#include <vector>
using namespace std;
int main() {
    int cases;
    cin >> cases;
    for (int c = 1; c <= cases; c++) {
        int n, cost;
        cin >> n >> cost;
        vector<int> v(n);
        iota(v.begin(), v.end(), 1);
        bool found = false;
        do {
            vector<int> w = v;
            int sum = 0;
            for (int i = 0; i + 1 < n; i++) {
                int j = min_element(w.begin() + i, w.end()) - w.begin();
                sum += j - i + 1;
                reverse(w.begin() + i, w.begin() + j + 1);
            }
            found = sum == cost;
        } while (!found && next_permutation(v.begin(), v.end()));
        cout << "Case #" << c << ":";
        if (found)
            for (int x : v) cout << ' ' << x;
        else
            cout << " IMPOSSIBLE";
        cout << endl;
    }
}
