#include <cstdlib>
#include <iomanip>
#include <iostream>
using namespace std;
static long double e[502][502];
int main() {
    for (int x = 1; x <= 500; ++x) {
        if (x == 1)
            e[1][0] = 3;
        else
            e[x][0] = (1.5L + e[x - 1][0] / 2 + e[x - 1][1] / 4) / 0.75L;
        e[0][x] = e[x][0];
        for (int y = 1; y <= x; ++y) e[y][x] = e[x][y] = 1 + (e[x - 1][y] + e[x][y - 1]) / 2;
    }
    int t;
    cin >> t;
    cout << setprecision(17) << fixed;
    for (int c = 1; c <= t; ++c) {
        int x, y;
        cin >> x >> y;
        cout << "Case #" << c << ": " << e[abs(x)][abs(y)] << endl;
    }
}
