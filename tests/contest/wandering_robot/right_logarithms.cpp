#include <cmath>
#include <cstdio>
using namespace std;
static double fact[200005];
int main() {
    for (int i = 1; i < 200005; ++i) fact[i] = fact[i - 1] + log2(i);
    int t;
    scanf("%d", &t);
    for (int c = 1; c <= t; ++c) {
        int w, h, l, u, r, d;
        scanf("%d%d%d%d%d%d", &w, &h, &l, &u, &r, &d);
        auto choose = [&](int n, int k) { return exp2(fact[n] - fact[k] - fact[n - k] - n); };
        double p = 0;
        // below the hole, and right of it: the squares of an antidiagonal, or the whole last row
        if (d < h)
            for (int x = 1; x < l; ++x) p += choose(d + x - 2, x - 1) / 2;
        if (r < w)
            for (int y = 1; y < u; ++y) p += choose(r + y - 2, y - 1) / 2;
        printf("Case #%d: %.10f\n", c, p);
    }
}
