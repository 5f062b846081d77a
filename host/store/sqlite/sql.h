#pragma once

// The .sql files of this folder, embedded at build (embed.cmake).
namespace tasker::store::sqlite {

extern const char kSql_001_initial[];
extern const char kSql_turn[];
extern const char kSql_turn_rows[];
extern const char kSql_admin[];
extern const char kSql_read[];
extern const char kSql_verify[];
extern const char kSql_upkeep[];

}  // namespace tasker::store::sqlite
