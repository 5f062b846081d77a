/* A library that a plugin is linked to, and that nobody installs. */
int zoo_absent(int n);
int zoo_absent(int n) { return n + 1; }
