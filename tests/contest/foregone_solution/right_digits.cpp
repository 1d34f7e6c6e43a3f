#include <iostream>
#include <string>
using namespace std;
int main() {
    ios::sync_with_stdio(false);
    cin.tie(nullptr);
    int cases;
    cin >> cases;
    for (int c = 1; c <= cases; ++c) {
        string n, other;
        cin >> n;
        for (char& digit : n) {
            if (digit == '4') {
                digit = '2';
                other += '2';
            } else if (!other.empty()) {
                other += '0';
            }
        }
        cout << "Case #" << c << ": " << other << ' ' << n << '\n';
    }
}
