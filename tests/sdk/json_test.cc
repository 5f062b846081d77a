#include <tasker/json.hpp>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <tasker/json_writer.hpp>

#include "plugin/text.h"

namespace tasker {
namespace {

constexpr std::string_view kOrder = R"( {"order": {"total": 12.5, "count": 3, "paid": true,
  "note": "a \"b\" \u00e9\ud83d\ude00\n", "none": null, "na\u006de": "Ann",
  "items": [{"sku": "x"}, {"sku": "y"}], "big": 3000000000, "half": 0.5, "huge": 1e999}} )";

// What the error of reading says; empty: there was none.
template <typename Read>
std::string Error(Read&& read) {
  try {
    static_cast<void>(read());
    return "";
  } catch (const JsonError& error) {
    EXPECT_FALSE(error.retryable);
    return error.what();
  }
}

TEST(Json, ReadsValuesByTheirPath) {
  const Json order = Json(kOrder, "context")["order"];
  EXPECT_EQ(order["total"].as<double>(), 12.5);
  EXPECT_EQ(order["count"].as<double>(), 3);
  EXPECT_EQ(order["count"].as<std::uint8_t>(), 3);
  EXPECT_EQ(order["big"].as<std::int64_t>(), 3000000000);
  EXPECT_TRUE(order["paid"].as<bool>());
  EXPECT_EQ(order["note"].as<std::string>(), "a \"b\" \u00e9\U0001F600\n");
  EXPECT_EQ(order["name"].as<std::string>(), "Ann");
  EXPECT_EQ(order["items"][1]["sku"].as<std::string>(), "y");
  EXPECT_EQ(order["items"][1].text(), R"({"sku": "y"})");
  EXPECT_EQ(order["items"][1]["sku"].path(), "context.order.items[1].sku");
}

TEST(Json, WhatIsMissingOrNullIsOptional) {
  const Json order = Json(kOrder, "context")["order"];
  EXPECT_FALSE(order["absent"].exists());
  EXPECT_FALSE(order["absent"]["deeper"][3].exists());
  EXPECT_TRUE(order["none"].is_null());
  EXPECT_EQ(order["none"]["deeper"].optional<int>(), std::nullopt);
  EXPECT_EQ(order["count"].optional<int>(), 3);
  EXPECT_EQ(order["absent"].value_or(7), 7);
  EXPECT_EQ(order["absent"].value_or("seven"), "seven");
  EXPECT_EQ(order["count"].value_or(7), 3);
  EXPECT_TRUE(order["absent"].items().empty());
  EXPECT_EQ(Json("", "checkpoint").kind(), Json::Kind::missing);
}

TEST(Json, AnErrorNamesThePathAndWhatWasExpected) {
  const Json order = Json(kOrder, "context")["order"];
  EXPECT_EQ(Error([&] { return order["note"].as<double>(); }),
            "context.order.note: expected a number, it is a string");
  EXPECT_EQ(Error([&] { return order["total"]["x"]; }),
            "context.order.total: expected an object, it is 12.5");
  EXPECT_EQ(Error([&] { return order["absent"]["x"].as<std::string>(); }),
            "context.order.absent.x: expected a string, it is missing");
  EXPECT_EQ(Error([&] { return order["none"].as<bool>(); }),
            "context.order.none: expected true or false, it is null");
  EXPECT_EQ(Error([&] { return order.items(); }),
            "context.order: expected an array, it is an object");
  EXPECT_EQ(Error([&] { return order["note"].optional<int>(); }),
            "context.order.note: expected an integer, it is a string");
  EXPECT_EQ(Error([&] { return order["big"].as<std::int16_t>(); }),
            "context.order.big: expected an integer from -32768 to 32767, it is 3000000000");
  EXPECT_EQ(Error([&] { return order["half"].as<std::uint8_t>(); }),
            "context.order.half: expected an integer from 0 to 255, it is 0.5");
  EXPECT_EQ(Error([&] { return order["huge"].as<double>(); }),
            "context.order.huge: expected a number that floating point can hold, it is 1e999");
  EXPECT_EQ(Error([] { return Json("{\"a\": [1,}")["a"][2]; }), "json: the text is no JSON");
}

TEST(Json, PartsComeInTheOrderOfTheText) {
  std::string seen;
  for (const Json& item : Json(kOrder, "c")["order"]["items"].items()) {
    seen += item.path() + "=" + item["sku"].as<std::string>() + " ";
  }
  for (const auto& [name, value] : Json(R"({"b\t": 1, "a": [2]})", "c").members()) {
    seen += name + ":" + std::string(value.text()) + " ";
  }
  EXPECT_EQ(seen, "c.order.items[0]=x c.order.items[1]=y b\t:1 a:[2] ");
}

TEST(JsonWriter, EscapesWhatJsonHasNoRoomFor) {
  const std::string nasty = "\"\\\b\f\n\r\t\x01 \u00e9\U0001F600" + std::string(1, '\0');
  const JsonObject object = JsonObject()
                                .set("k\"ey", nasty)
                                .set("n", -3)
                                .set("d", 0.1)
                                .set("t", true)
                                .set("nothing", nullptr)
                                .set("absent", std::optional<int>())
                                .set("literal", "text")
                                .set("list", JsonArray().add(1).add("a").add(JsonObject()))
                                .set("raw", Json(kOrder)["order"]["items"])
                                .set("missing", Json());
  EXPECT_TRUE(plugin::CheckJsonText(object.text(), 64)) << object.text();
  EXPECT_EQ(Json(object.text())["k\"ey"].as<std::string>(), nasty);
  EXPECT_NE(object.text().find(R"("n":-3,"d":0.1,"t":true,"nothing":null,"absent":null,)"
                               R"("literal":"text","list":[1,"a",{}],)"
                               R"("raw":[{"sku": "x"}, {"sku": "y"}],"missing":null})"),
            std::string::npos)
      << object.text();
  EXPECT_EQ(Error([] { return JsonObject().set("x", "\xff"); }),
            "a text is no UTF-8 at its byte 0");
  EXPECT_EQ(Error([] { return JsonArray().add(1.0 / 0.0); }), "JSON has no infinity and no NaN");
  EXPECT_EQ(Error([] { return JsonArray().add(Json("[1,]", "input")); }),
            "input: the text is no JSON");
}

// Reads all there is in a value, whatever that is.
void ReadAll(const Json& value, int depth) {
  Error([&] { return value.as<bool>(); });
  Error([&] { return value.as<int>(); });
  Error([&] { return value.as<double>(); });
  Error([&] { return value.as<std::string>(); });
  Error([&] { return value["a"][1]; });
  if (depth == 0) return;
  Error([&] {
    for (const Json& item : value.items()) ReadAll(item, depth - 1);
    return 0;
  });
  Error([&] {
    for (const auto& [name, member] : value.members()) ReadAll(member, depth - 1);
    return 0;
  });
}

// A text that is nearly JSON: bytes of a good one changed, doubled, dropped.
std::string Mutated(std::string text, std::mt19937& random) {
  static constexpr std::string_view kBytes =
      "{}[]\",:\\u0123456789abcdefDE+-.tn \t\n\x01\x7f\x80\xbf\xc2\xe0\xed\xf0\xf4\xff";
  const auto at = [&] { return random() % text.size(); };
  for (auto edits = 1 + random() % 4; edits > 0 && !text.empty(); --edits) {
    const char byte = kBytes[random() % kBytes.size()];
    switch (random() % 4) {
      case 0:
        text[at()] = byte;
        break;
      case 1:
        text.insert(at(), 1, byte);
        break;
      case 2:
        text.erase(at(), 1 + random() % 3);
        break;
      default:
        text.insert(at(), text.substr(at(), random() % 12));
    }
  }
  return text;
}

TEST(Json, AnyBytesAreReadWithoutHarmAndJudgedAsByTheHost) {
  std::mt19937 random(7);  // NOLINT: the same texts each time
  const std::vector<std::string> seeds = {
      std::string(kOrder), R"(["\ud83d\ude00", "\\\/\b", -0.5e-3, [[[[]]]], {"":{}}])",
      R"({"a":[0,-1,2E+5],"b":"\u0000","c":null})", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""};
  int good = 0;
  for (int i = 0; i < 40'000; ++i) {
    const std::string text = Mutated(seeds[static_cast<std::size_t>(i) % seeds.size()], random);
    const bool host = plugin::CheckJsonText(text, 64).has_value();
    ASSERT_EQ(Json::valid(text, 64), host) << "text " << i << ": " << text;
    good += host ? 1 : 0;
    // On the heap and just as long, so that a sanitizer sees a byte too far.
    const std::vector<char> exact(text.begin(), text.end());
    ReadAll(Json(std::string_view(exact.data(), exact.size())), 3);
  }
  EXPECT_GT(good, 1000);
}

TEST(Json, DepthHasTheHostsLimit) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  for (const std::size_t depth : {63u, 64u, 65u, 66u}) {
    EXPECT_EQ(Json::valid(nested(depth), 64), plugin::CheckJsonText(nested(depth), 64).has_value())
        << depth;
  }
  EXPECT_FALSE(Json::valid(nested(1'000'000)));
  EXPECT_EQ(Error([&] { return Json(nested(1'000'000))[0]; }), "json: the text is no JSON");
}

}  // namespace
}  // namespace tasker
