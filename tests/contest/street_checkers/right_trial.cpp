#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <vector>
using namespace std;
int main() {
    vector<int> primes;
    for (int i = 3; i < 31700; i += 2) {
        bool is = true;
        for (int p : primes) {
            if (p * p > i) break;
            if (i % p == 0) is = false;
        }
        if (is) primes.push_back(i);
    }
    int t;
    cin >> t;
    for (int c = 1; c <= t; ++c) {
        long long l, r;
        cin >> l >> r;
        vector<int> odd(r - l + 1, 1);
        vector<long long> rest(r - l + 1);
        for (long long x = l; x <= r; ++x) {
            rest[x - l] = x;
            while (rest[x - l] % 2 == 0) rest[x - l] /= 2;
        }
        for (long long p : primes)
            for (long long x = (l + p - 1) / p * p; x <= r; x += p) {
                int power = 1;
                while (rest[x - l] % p == 0) rest[x - l] /= p, ++power;
                odd[x - l] *= power;
            }
        int count = 0;
        for (long long x = l; x <= r; ++x) {
            int divisors = odd[x - l] * (rest[x - l] > 1 ? 2 : 1);
            count += abs(1 - __builtin_ctzll(x)) * divisors <= 2;
        }
        printf("Case #%d: %d\n", c, count);
    }
}
