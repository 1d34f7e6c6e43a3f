#include <iostream>
#include <string>
#include <utility>
#include <vector>
using namespace std;
// The stuck rooms come first in the snake's order, everyone else goes south.
int main() {
    int cases;
    cin >> cases;
    for (int c = 1; c <= cases; ++c) {
        int rows, columns, escaping;
        cin >> rows >> columns >> escaping;
        int stuck = rows * columns - escaping;
        cout << "Case #" << c << ": ";
        if (stuck == 1) {
            cout << "IMPOSSIBLE\n";
            continue;
        }
        vector<string> grid(rows, string(columns, 'S'));
        auto at = [&](int i) {
            int r = i / columns, k = i % columns;
            return pair<int, int>(r, r % 2 ? columns - 1 - k : k);
        };
        auto toward = [&](int from, int to) {
            auto [r, k] = at(from);
            auto [s, l] = at(to);
            grid[r][k] = s > r ? 'S' : s < r ? 'N' : l > k ? 'E' : 'W';
        };
        for (int i = stuck - 1; i > 0; --i) toward(i, i - 1);
        if (stuck) toward(0, 1);
        cout << "POSSIBLE\n";
        for (auto& row : grid) cout << row << '\n';
    }
}
