# cmake -DOUT=file.cc -DFOLDER=sdk/new_plugin "-DFILES=cpp/src/plugin.cc;…" -P embed_new_plugin.cmake: each file becomes
# one of kNewPluginFiles, its first folder the language.
set(text "#include \"cli/new_plugin_files.h\"\n\nnamespace tasker::cli {\n\n")
string(APPEND text "const NewPluginFile kNewPluginFiles[] = {\n")
foreach(file IN LISTS FILES)
  file(READ "${FOLDER}/${file}" body)
  string(REGEX MATCH "^([a-z]+)/(.+)$" matched "${file}")
  set(path ${CMAKE_MATCH_2})
  if(path STREQUAL "gitignore")  # here it would hide files of this tree
    set(path .gitignore)
  endif()
  string(APPEND text "{\"${CMAKE_MATCH_1}\", \"${path}\", R\"~new~(${body})~new~\"},\n")
endforeach()
list(LENGTH FILES count)
string(APPEND text "};\nconst std::size_t kNewPluginFilesCount = ${count};\n\n}  // namespace tasker::cli\n")
file(WRITE "${OUT}" "${text}")
