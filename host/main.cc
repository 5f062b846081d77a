#include <unistd.h>

#include "cli/cli.h"
#include "store/store.h"

int main(int argc, char** argv) {
  tasker::store::TuneProcess();
  return tasker::cli::Main(argc, argv, environ);
}
