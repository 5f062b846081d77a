// Plugins without a defect of their own: how they are compiled and linked is what is wrong with
// them, as plugins.cmake says. Some of it needs code; compiled once for each ZOO_DEFECT.
#include <tasker/plugin.hpp>

#define ZOO_PLAIN 0
#define ZOO_STATIC_TLS 1
#define ZOO_TEXT_RELOCATION 2
#define ZOO_UNDEFINED_SYMBOL 3
#define ZOO_MISSING_LIBRARY 4

#if ZOO_DEFECT == ZOO_STATIC_TLS
__attribute__((tls_model("initial-exec"))) static thread_local int calls;
#elif ZOO_DEFECT == ZOO_TEXT_RELOCATION
__asm__(".text\nzoo_here: .quad zoo_here");
#elif ZOO_DEFECT == ZOO_UNDEFINED_SYMBOL
extern "C" int zoo_defined_nowhere(int);
#elif ZOO_DEFECT == ZOO_MISSING_LIBRARY
extern "C" int zoo_absent(int);
#endif

static int Next([[maybe_unused]] int n) {
#if ZOO_DEFECT == ZOO_STATIC_TLS
  return calls += n;
#elif ZOO_DEFECT == ZOO_UNDEFINED_SYMBOL
  return zoo_defined_nowhere(n);
#elif ZOO_DEFECT == ZOO_MISSING_LIBRARY
  return zoo_absent(n);
#else
  return n + 1;
#endif
}

TASKER_PLUGIN(ZOO_NAME, "1", p) {
  p.handler(ZOO_NAME ".works",
            [](const tasker_step&, tasker::Call&) { return std::to_string(Next(1)); });
}
