#include <cmath>
#include <cstdio>
using namespace std;
static double fact[200005];
// Forgets that the last row and column are left one way only.
int main() {
    for (int i = 1; i < 200005; ++i) fact[i] = fact[i - 1] + log2(i);
    int t;
    scanf("%d", &t);
    for (int c = 1; c <= t; ++c) {
        int w, h, l, u, r, d;
        scanf("%d%d%d%d%d%d", &w, &h, &l, &u, &r, &d);
        auto choose = [&](int n, int k) { return exp2(fact[n] - fact[k] - fact[n - k] - n); };
        double p = 0;
        for (int x = l - 1, y = d + 1; x >= 1 && y <= h; --x, ++y) p += choose(x + y - 2, x - 1);
        for (int x = r + 1, y = u - 1; y >= 1 && x <= w; ++x, --y) p += choose(x + y - 2, x - 1);
        printf("Case #%d: %.10f\n", c, p);
    }
}
