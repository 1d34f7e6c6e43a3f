#include <cstdlib>
#include <iostream>
#include <set>
#include <string>
using namespace std;
// Years in an int: right for the first subtask.
int main() {
    set<int> years;
    for (int start = 1; start < 10000; ++start) {
        string text = to_string(start);
        for (int next = start + 1; text.size() < 9; ++next) {
            text += to_string(next);
            if (text.size() < 10) years.insert(atoi(text.c_str()));
        }
    }
    int t;
    cin >> t;
    for (int c = 1; c <= t; ++c) {
        string year;
        cin >> year;
        auto found = years.upper_bound(atoi(year.c_str()));
        cout << "Case #" << c << ": " << (found == years.end() ? 0 : *found) << "\n";
    }
}
