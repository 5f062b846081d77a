# cmake -DOUT=file.cc -DSQL="a.sql;b.sql" -P embed.cmake: each file becomes a constant kSql_<name> in
# tasker::store::sqlite.
set(text "#include \"store/sqlite/sql.h\"\n\nnamespace tasker::store::sqlite {\n\n")
foreach(file IN LISTS SQL)
  get_filename_component(name "${file}" NAME_WE)
  file(READ "${file}" body)
  string(APPEND text "extern const char kSql_${name}[] = R\"~sql~(${body})~sql~\";\n\n")
endforeach()
string(APPEND text "}  // namespace tasker::store::sqlite\n")
file(WRITE "${OUT}" "${text}")
