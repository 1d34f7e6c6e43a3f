"""What contest programs in C++ do besides being right or wrong."""

import pytest
from judged_sum import PASSED, reason_of

from filters.sandbox.bubblewrap import Bubblewrap

pytestmark = pytest.mark.slow  # up to a second of compiler each


def begun_with(*headers: str) -> str:
    """How such programs begin. <bits/stdc++.h> takes the compiler five times as long as
    <iostream>: it is in those whose point it is, and in none of the faults."""
    included = "".join(f"#include <{header}>\n" for header in headers)
    return f"{included}using namespace std;\n#define int long long\n"


CPP_START = begun_with("iostream")
CPP_WITH_ALL = begun_with("bits/stdc++.h")
CPP_READ = "int n, x, s = 0; cin >> n; while (n--) { cin >> x; s += x; }"
CPP_HABITS = {
    "pragmas": '#pragma GCC optimize("O3,unroll-loops")\n#pragma GCC target("avx2,popcnt")\n'
    + CPP_WITH_ALL
    + f"signed main() {{ ios::sync_with_stdio(0); cin.tie(0); {CPP_READ} cout << s << endl; }}",
    "stdio": '#include <cstdio>\nint main() { long long n, x, s = 0; scanf("%lld", &n);'
    ' while (scanf("%lld", &x) == 1) s += x; printf("%lld", s); return 0; }',
    "128 bits": CPP_START
    + f"signed main() {{ {CPP_READ} __int128 big = s; cout << (int)((big << 64) >> 64); }}",
    "large arrays": CPP_START
    + "int table[10000000];\n"
    + f"signed main() {{ {CPP_READ} table[9999999] = s; cout << table[9999999] << '\\n'; }}",
    "deep recursion": CPP_START + "int down(int n) { volatile char frame[64]; frame[0] = 1;"
    " return n == 0 ? 0 : frame[0] + down(n - 1); }\n"
    + f"signed main() {{ {CPP_READ} cout << s + down(1000000) - 1000000 << endl; }}",
    "a large stack frame": CPP_START
    + f"signed main() {{ volatile char frame[100 << 20]; frame[5] = 0; {CPP_READ}"
    " cout << s + frame[5]; }",
    "threads": begun_with("iostream", "thread")
    + f"signed main() {{ {CPP_READ} thread t([&] {{ cout << s; }}); t.join(); }}",
    "async": begun_with("future", "iostream")
    + f"signed main() {{ {CPP_READ} auto f = async(launch::async, [&] {{ return s; }});"
    " cout << f.get(); }",
    "structured bindings": begun_with("iostream", "utility")
    + f"signed main() {{ {CPP_READ} auto [a, b] = pair(s, 0LL);"
    " if (auto c = a + b; true) cout << c; }",
    "ranges": "// C++20\n#include <concepts>\n"
    + CPP_WITH_ALL
    + f"signed main() {{ {CPP_READ} vector<int> v{{s}}; ranges::sort(v); cout << v[0]; }}",
    "policy tree": "#include <functional>\n#include <iostream>\n"
    "#include <ext/pb_ds/assoc_container.hpp>\n#include <ext/pb_ds/tree_policy.hpp>\n"
    "using namespace std;\nusing namespace __gnu_pbds;\n"
    "tree<long long, null_type, less<long long>, rb_tree_tag,\n"
    "     tree_order_statistics_node_update> t;\n"
    "int main() { long long n, x, s = 0; cin >> n; while (n--) { cin >> x; s += x; }"
    " t.insert(s); cout << *t.find_by_order(0); }",
    "getchar": "#include <cstdio>\nint main() { long long v[5] = {}; int c, k = 0, sign = 1, in{};"
    " while ((c = getchar_unlocked()) != EOF) { if (c == '-') sign = -1;"
    " else if (c >= '0' && c <= '9') { v[k] = v[k] * 10 + c - '0'; in = 1; }"
    " else if (in) { v[k++] *= sign; sign = 1; in = 0; } }"
    ' long long s = 0; for (int i = 1; i < k; i++) s += v[i]; printf("%lld\\n", s); }',
    "a file at home": begun_with("cstdio", "iostream")
    + 'signed main() {\n#ifndef ONLINE_JUDGE\nfreopen("input.txt", "r", stdin);\n#endif\n'
    + f"{CPP_READ} cout << s; }}",
    "exit": begun_with("cstdlib", "iostream")
    + f"signed main() {{ {CPP_READ} cout << s; exit(0); }}",
    "no return": CPP_START + f"signed main() {{ {CPP_READ} cout << s; }}",
    "clock and random": begun_with("chrono", "cstdlib", "ctime", "iostream", "random")
    + "mt19937 rng(chrono::steady_clock::now().time_since_epoch().count());\n"
    + f"signed main() {{ srand(time(0)); {CPP_READ} cout << s + 0 * (int)rng(); }}",
    "warnings": begun_with("cstdio", "iostream")
    + f'signed main() {{ int unused; {CPP_READ} if (unused = s) printf("%ld", s); }}',
    "to cerr": CPP_START + f'signed main() {{ {CPP_READ} cerr << "debug" << endl; cout << s; }}',
}
CPP_FAULTS = {
    "a wrong exit code": (f"signed main() {{ {CPP_READ} cout << s; return 1; }}", "runtime_error"),
    "a division by nought": (
        f"signed main() {{ {CPP_READ} volatile int z = 0; cout << s / z; }}",
        "runtime_error",
    ),
    "out of range": (
        f"signed main() {{ {CPP_READ} vector<int> v; cout << v.at(s); }}",
        "runtime_error",
    ),
    "an exception": (f"signed main() {{ {CPP_READ} cout << s; throw 1; }}", "runtime_error"),
    "an assertion": (
        f"signed main() {{ {CPP_READ} cout << s << flush; assert(s < 0); }}",
        "runtime_error",
    ),
    "endless recursion": (
        "int f(int n) { volatile int k = n; return f(k + 1) + k; }\nsigned main() { f(1); }",
        "memory_limit",  # the stack is as large as the memory limit
    ),
    "32 bits": (
        f"#undef int\nint main() {{ {CPP_READ} cout << s; }}",
        "wrong_output",
    ),
    "a loop": ("signed main() { for (volatile int i = 0;; i++); }", "time_limit"),
    "a loop in a thread": (
        "signed main() { thread t([] { for (volatile int i = 0;; i++); }); t.join(); }",
        "time_limit",
    ),
    "memory": (
        "signed main() { vector<vector<char>> v; for (;;) v.emplace_back(1 << 24, 1); }",
        "memory_limit",
    ),
    "memory by malloc": (
        "signed main() { for (;;) memset(malloc(1 << 24), 1, 1 << 24); }",
        "memory_limit",
    ),
    "no end of output": ('signed main() { for (;;) puts("no end"); }', "output_limit"),
    "no main": ("signed mian() { return 0; }", "compile_error"),
    "a compiler's bomb": (
        "template <int n> struct S { S<n + 1> a; S<n + 2> b; };\nsigned main() { S<0> s; }",
        "compile_error",
    ),
}


@pytest.mark.parametrize("habit", CPP_HABITS)
def test_cpp_is_written_in_any_way(habit: str, sandbox: Bubblewrap) -> None:
    assert reason_of(sandbox, "cpp", CPP_HABITS[habit]) == PASSED


@pytest.mark.parametrize("fault", CPP_FAULTS)
def test_cpps_faults_have_their_reasons(fault: str, sandbox: Bubblewrap) -> None:
    code, expected = CPP_FAULTS[fault]
    headers = ["cassert", "cstdio", "cstdlib", "cstring", "iostream", "vector"]
    start = begun_with(*headers, *(["thread"] if "thread t(" in code else []))
    # Only what never ends meets its limit; to take much memory takes time as well.
    limits = {
        "time_limit_s": 0.5 if expected == "time_limit" else 5.0,
        "memory_limit_bytes": 256 << 20,
    }
    assert reason_of(sandbox, "cpp", start + code, **limits) == expected
