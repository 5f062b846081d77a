// plugin.h as the first and only header, in the C++ of SDK_STANDARD.
#include <tasker/plugin.h>

#define SDK_JOIN2(a, b) a##b
#define SDK_JOIN(a, b) SDK_JOIN2(a, b)

// The size of a table that says how large the others' version of it is.
extern "C" size_t SDK_JOIN(sdk_known_size_, SDK_STANDARD)(uint32_t said) {
  tasker_success success = {};
  success.size = said;
  return TASKER_HAS(&success, tasker_success, events) ? sizeof success : said;
}
