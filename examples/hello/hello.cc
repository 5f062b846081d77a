#include <boost/json.hpp>
#include <cctype>
#include <tasker/plugin.hpp>

TASKER_PLUGIN("hello", "1.0.0", plugin) {
  plugin.handler("hello.greet", [](const tasker_step& step, tasker::Call&) {
    const boost::json::value context = boost::json::parse(tasker::view(step.context));
    return boost::json::serialize("Hello, " +
                                  boost::json::value_to<std::string>(context.at("name")) + "!");
  });
  plugin.handler("hello.shout", [](const tasker_step& step, tasker::Call&) {
    boost::json::value parents = boost::json::parse(tasker::view(step.dependencies));
    boost::json::string& text = parents.at("greet").at("result").as_string();
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return boost::json::serialize(text);
  });
}
