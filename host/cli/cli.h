#pragma once

namespace tasker::cli {

// The whole of tasker-host: reads the command line, runs the command, prints its error. Returns the
// exit code. Once, from main, before there is any thread.
int Main(int argc, const char* const* argv, const char* const* environment);

}  // namespace tasker::cli
