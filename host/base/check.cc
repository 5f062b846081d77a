#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace tasker {

void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: bug: CHECK(%s) failed; please report this line\n", file, line,
               condition);
  std::abort();
}

}  // namespace tasker
