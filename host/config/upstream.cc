#include "config/upstream.h"

#include <algorithm>

namespace tasker::config {
namespace {

std::string FolderOf(const std::string& pattern) {
  std::filesystem::path folder;
  for (const auto& part : std::filesystem::path(pattern)) {
    if (part.string().find_first_of("*?[{") != std::string::npos) break;
    folder /= part;
  }
  if (folder.extension() == ".yaml" || folder.extension() == ".yml") folder = folder.parent_path();
  return folder.empty() ? "." : folder.string();
}

}  // namespace

bool IsUpstreamSection(std::string_view section) {
  return section == "common" || section == "orchestration";
}

bool IsUpstreamWorkerKey(std::string_view section, std::string_view key, bool is_table) {
  return section == "worker" && (is_table || key == "worker_id" || key == "worker_type");
}

std::vector<std::string> FoldersOf(const std::vector<std::string>& patterns) {
  std::vector<std::string> folders;
  for (const std::string& pattern : patterns) {
    std::string folder = FolderOf(pattern);
    if (std::ranges::find(folders, folder) == folders.end()) folders.push_back(std::move(folder));
  }
  return folders;
}

std::filesystem::path Workspace(const Environment& env) {
  const auto workspace = env.find("WORKSPACE_PATH");
  const bool set = workspace != env.end() && !workspace->second.empty();
  return std::filesystem::absolute(set ? workspace->second : ".");
}

std::string PassedOverNotice(std::string_view path, const std::set<std::string>& names) {
  std::string notice(path);
  notice +=
      " is a file of tasker-core: its template search paths and its worker's id are taken, the "
      "rest has no "
      "effect here: ";
  for (const std::string& name : names) {
    if (name != *names.begin()) notice += ", ";
    notice += name;
  }
  return notice;
}

}  // namespace tasker::config
