#include <unistd.h>

#include "cli/cli.h"

int main(int argc, char** argv) { return tasker::cli::Main(argc, argv, environ); }
