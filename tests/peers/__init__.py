"""Against programs that others wrote. What is not installed is skipped, and fails where REQUIRE_ALL=1 is set.

Node packages: `npm install --prefix tests/peers`, or a folder of modules in NODE_PATH.
"""
