#include "cli/step_options.h"

#include <CLI/CLI.hpp>
#include <chrono>

#include "cli/context_argument.h"
#include "pipeline/plugin_limits.h"
#include "plugin/library.h"

namespace tasker::cli {

void StepOptions::AddTo(CLI::App& app, bool handler_required) {
  CLI::Option* const handler =
      app.add_option("--handler", request_.handler, "The handler's id, as templates name it")
          ->option_text("ID");
  CLI::Option* const context =
      app.add_option("--context", request_.context,
                     handler_required
                         ? "The task's context: JSON, @FILE, or - for standard input; default: {}"
                         : "The task's context: JSON or @FILE; default: {}")
          ->option_text("JSON");
  const auto text = [&](const char* name, std::string& value, const char* about) {
    return app.add_option(name, value, about)->option_text("JSON");
  };
  CLI::Option* const dependencies =
      text("--dependencies", request_.dependencies,
           "What the steps before it left: {\"<step>\": {\"result\": ...}}; default: {}");
  CLI::Option* const initialization = text("--initialization", request_.initialization,
                                           "The template's handler.initialization; default: {}");
  CLI::Option* const checkpoint =
      text("--checkpoint", request_.checkpoint, "The last checkpoint; default: none");
  CLI::Option* const method =
      app.add_option("--method", request_.method, "The template's handler.method")
          ->option_text("NAME");
  CLI::Option* const resolver =
      app.add_option("--resolver", request_.resolver, "The template's handler.resolver")
          ->option_text("NAME");
  CLI::Option* const attempt =
      app.add_option("--attempt", request_.attempt, "Which attempt it is; default: 1")
          ->option_text("N")
          ->check(CLI::Range(1U, 1000U));
  CLI::Option* const timeout =
      app.add_option("--timeout", timeout_s_,
                     handler_required
                         ? "The step's deadline; then it is asked to cancel; default: none"
                         : "The step's deadline; default: none")
          ->option_text("SECONDS")
          ->check(CLI::Range(0.001, 1e6));
  if (handler_required) {
    handler->required();
    return;
  }
  for (CLI::Option* const option :
       {context, dependencies, initialization, checkpoint, method, resolver, attempt, timeout}) {
    option->needs(handler);
  }
}

Result<trial::StepRequest> StepOptions::Read(const config::Config& config) const {
  const config::Limits& limits = config.limits;
  trial::StepRequest request = request_;
  TRY(request.context, ReadContext(request_.context, limits.context_max_bytes));
  TRY(request.dependencies,
      ReadJsonArgument("dependencies", request_.dependencies, "limits.hydrated_max_bytes",
                       limits.hydrated_max_bytes));
  TRY(request.initialization,
      ReadJsonArgument("initialization", request_.initialization, "limits.template_max_bytes",
                       limits.template_max_bytes));
  TRY(request.checkpoint,
      ReadJsonArgument("checkpoint", request_.checkpoint, "limits.checkpoint_max_bytes",
                       limits.checkpoint_max_bytes));
  if (timeout_s_ > 0) {
    request.timeout = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::duration<double>(timeout_s_));
  }
  TRY_OK(trial::CheckTexts(request, pipeline::PluginLimitsOf(limits)));
  return request;
}

Result<std::string> PluginConfigOf(const std::string& file, const config::Config& config) {
  TRY(const plugin::Library* const library, plugin::Library::Open(file));
  const auto found = config.plugins.configs.find(library->entry().name);
  return found == config.plugins.configs.end() ? std::string("{}") : found->second;
}

}  // namespace tasker::cli
