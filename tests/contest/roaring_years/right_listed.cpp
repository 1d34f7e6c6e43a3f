#include <algorithm>
#include <cstdio>
#include <vector>
using namespace std;
typedef unsigned long long u64;
int main() {
    // All roaring years below 2 * 10^18 of three terms and more, and two terms by search.
    const __int128 limit = (__int128)2000000000 * 1000000000;
    vector<u64> years;
    auto glue = [&](__int128 head, u64 tail) {
        u64 shift = 1;
        while (shift <= tail) shift *= 10;
        return head * shift + tail;
    };
    for (u64 start = 1; start < 1300000; ++start) {
        __int128 value = start;
        for (u64 next = start + 1;; ++next) {
            value = glue(value, next);
            if (value > limit) break;
            years.push_back((u64)value);
        }
    }
    sort(years.begin(), years.end());
    int t;
    scanf("%d", &t);
    for (int c = 1; c <= t; ++c) {
        u64 year;
        scanf("%llu", &year);
        u64 best = *upper_bound(years.begin(), years.end(), year);
        u64 low = 1, high = 1500000000;
        while (low < high) {
            u64 middle = (low + high) / 2;
            if (glue(middle, middle + 1) > year)
                high = middle;
            else
                low = middle + 1;
        }
        best = min(best, (u64)glue(low, low + 1));
        printf("Case #%d: %llu\n", c, best);
    }
}
