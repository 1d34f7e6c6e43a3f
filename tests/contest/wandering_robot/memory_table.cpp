#include <cstdio>
#include <vector>
using namespace std;
int main() {
    int t;
    scanf("%d", &t);
    for (int c = 1; c <= t; ++c) {
        int w, h, l, u, r, d;
        scanf("%d%d%d%d%d%d", &w, &h, &l, &u, &r, &d);
        vector<double> table(size_t(h + 1) * (w + 1));
        auto p = [&](int y, int x) -> double& { return table[size_t(y) * (w + 1) + x]; };
        for (int y = 1; y <= h; ++y)
            for (int x = 1; x <= w; ++x) {
                p(y, x) = p(y - 1, x) * (x == w ? 1 : 0.5) + p(y, x - 1) * (y == h ? 1 : 0.5);
                if (x == 1 && y == 1) p(y, x) = 1;
                if (l <= x && x <= r && u <= y && y <= d) p(y, x) = 0;
            }
        printf("Case #%d: %.9f\n", c, p(h, w));
    }
}
