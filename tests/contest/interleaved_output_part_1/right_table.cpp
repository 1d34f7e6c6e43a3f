#include <iostream>
#include <map>
#include <string>
#include <utility>
using namespace std;
// Over all states: (how many capital I wait, how many small i wait) -> most events.
int main() {
    ios_base::sync_with_stdio(0);
    cin.tie(0);
    int t;
    cin >> t;
    for (int c = 1; c <= t; ++c) {
        string s;
        cin >> s;
        map<pair<int, int>, int> states{{{0, 0}, 0}}, after;
        for (char letter : s) {
            after.clear();
            auto reach = [&](int big, int little, int events) {
                if (big < 0 || little < 0) return;
                auto [it, fresh] = after.try_emplace({big, little}, events);
                it->second = max(it->second, events);
            };
            for (auto& [state, events] : states) {
                auto [big, little] = state;
                if (letter == 'I')
                    reach(big + 1, little, events);
                else if (letter == 'i')
                    reach(big, little + 1, events);
                else {
                    reach(big - 1, little, events + (letter == 'O'));
                    reach(big, little - 1, events);
                }
            }
            states.swap(after);
        }
        cout << "Case #" << c << ": " << states[{0, 0}] << '\n';
    }
}
