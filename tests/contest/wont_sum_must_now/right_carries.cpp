#include <iostream>
#include <string>
#include <vector>
using namespace std;
typedef vector<int> digits;

static bool mirrored(const string& s) { return string(s.rbegin(), s.rend()) == s; }

// Two palindromes of lengths a >= b whose sum is the number: from both ends at once.
struct Pair {
    digits sum, x, y;
    int a, b;
    bool found = false;
    string first, second;

    Pair(const string& s, int la, int lb) : a(la), b(lb) {
        sum.assign(a + 1, 0);
        for (size_t i = 0; i < s.size(); ++i) sum[i] = s[s.size() - 1 - i] - '0';
        x.assign(a, 0);
        y.assign(b, 0);
        step(0, 0, sum[a]);
    }

    bool check() {
        int carry = 0;
        for (int i = 0; i < a; ++i) {
            int column = x[i] + (i < b ? y[i] : 0) + carry;
            if (column % 10 != sum[i]) return false;
            carry = column / 10;
        }
        if (carry != sum[a] || !x[a - 1] || !y[b - 1]) return false;
        for (int i = a; i--;) first += char('0' + x[i]);
        for (int i = b; i--;) second += char('0' + y[i]);
        return found = true;
    }

    bool step(int i, int low, int high) {
        int j = a - 1 - i;
        if (i > j) return check();
        for (int in = 0; in < 2; ++in) {
            if (a == b) {
                int both = sum[j] + 10 * high - in;
                if (both < 0 || both > 18 || (both + low) % 10 != sum[i]) continue;
                if (i == 0 && both < 2) continue;
                x[i] = x[j] = both > 9 ? 9 : (i == 0 ? both - 1 : both);
                y[i] = y[j] = both - x[i];
                if (step(i + 1, (both + low) / 10, in)) return true;
                continue;
            }
            int above = j < b ? y[j] : 0;
            int digit = sum[j] + 10 * high - in - above;
            if (digit < 0 || digit > 9 || (i == 0 && digit == 0)) continue;
            x[i] = x[j] = digit;
            int other = ((sum[i] - digit - low) % 10 + 10) % 10;
            if (i >= b) {
                if (other) continue;
            } else if (b - 1 - i < i) {
                if (y[i] != other) continue;
            } else {
                if (i == 0 && other == 0) continue;
                y[i] = y[b - 1 - i] = other;
            }
            if (step(i + 1, (digit + other + low) / 10, in)) return true;
        }
        return false;
    }
};

static bool two(const string& s, string& p, string& q, int least) {
    int n = s.size();
    for (int a = n; a >= max(1, n - 1); --a)
        for (int b = a; b >= max(1, a - least); --b) {
            Pair pair(s, a, b);
            if (pair.found) {
                p = pair.first;
                q = pair.second;
                return true;
            }
        }
    return false;
}

static string less_by(string s, int z) {
    for (int i = s.size() - 1; z; --i) {
        int digit = s[i] - '0' - z % 10;
        z /= 10;
        if (digit < 0) {
            digit += 10;
            ++z;
        }
        s[i] = char('0' + digit);
    }
    size_t start = s.find_first_not_of('0');
    return s.substr(start);
}

int main() {
    int cases;
    cin >> cases;
    for (int c = 1; c <= cases; ++c) {
        string s, p, q;
        cin >> s;
        cout << "Case #" << c << ": ";
        if (mirrored(s)) {
            cout << s << '\n';
            continue;
        }
        if (two(s, p, q, 60)) {
            cout << p << ' ' << q << '\n';
            continue;
        }
        for (int z = 1;; ++z) {
            string t = to_string(z);
            if (!mirrored(t) || !two(less_by(s, z), p, q, 8)) continue;
            cout << p << ' ' << q << ' ' << t << '\n';
            break;
        }
    }
}
