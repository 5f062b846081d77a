#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"

namespace tasker::config {

// What a configuration file of tasker-core's own worker holds, as far as it concerns this host.

inline constexpr std::string_view kUpstreamWorkerId = "worker.worker_id";
inline constexpr std::string_view kUpstreamTemplates = "common.task_templates";
inline constexpr std::string_view kUpstreamSearchPaths = "common.task_templates.search_paths";

// [common] and [orchestration], which this host has not.
bool IsUpstreamSection(std::string_view section);

// tasker-core's keys in the section that both have: worker_id, worker_type and every table below
// [worker].
bool IsUpstreamWorkerKey(std::string_view section, std::string_view key, bool is_table);

// The folders that glob patterns such as "config/tasks/**/*.{yml,yaml}" search, each once.
std::vector<std::string> FoldersOf(const std::vector<std::string>& patterns);

// What tasker-core takes relative paths from: WORKSPACE_PATH, else the current folder.
std::filesystem::path Workspace(const Environment& env);

// The notice for the log.
std::string PassedOverNotice(std::string_view path, const std::set<std::string>& names);

}  // namespace tasker::config
