// The steps of an order that are native code: its price, and the stock. The Python steps of the
// same workflow stand in orders/handlers.py; neither side knows what the other is written in.
#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tasker/plugin.hpp>

namespace {

namespace json = boost::json;

struct Article {
  std::int64_t cents, stock;
};

// What the shop sells.
const std::map<std::string, Article, std::less<>>& Catalogue() {
  static const std::map<std::string, Article, std::less<>> catalogue = {{"coffee", {1'290, 500}},
                                                                        {"mug", {850, 300}},
                                                                        {"grinder", {8'900, 40}},
                                                                        {"teapot", {3'450, 2}}};
  return catalogue;
}

const Article& ArticleOf(const json::value& item) {
  const auto sku = json::value_to<std::string>(item.at("sku"));
  const auto found = Catalogue().find(sku);
  if (found == Catalogue().end())
    throw tasker::PermanentError("the shop has no article '" + sku + "'");
  return found->second;
}

json::value ContextOf(const tasker_step& step) { return json::parse(tasker::view(step.context)); }

json::object Quote(const tasker_step& step) {
  constexpr std::int64_t kTaxPercent = 19, kShippingCents = 490, kFreeShippingFrom = 5'000;
  constexpr std::int64_t kDiscountFrom = 10'000, kDiscountPercent = 5;
  const json::value context = ContextOf(step);
  std::int64_t subtotal = 0;
  for (const json::value& item : context.at("items").as_array())
    subtotal += ArticleOf(item).cents * item.at("quantity").as_int64();
  const std::int64_t discount = subtotal >= kDiscountFrom ? subtotal * kDiscountPercent / 100 : 0;
  const std::int64_t net = subtotal - discount;
  const std::int64_t shipping = net >= kFreeShippingFrom ? 0 : kShippingCents;
  const std::int64_t tax = (net + shipping) * kTaxPercent / 100;
  return {{"subtotal_cents", subtotal},
          {"discount_cents", discount},
          {"shipping_cents", shipping},
          {"tax_cents", tax},
          {"total_cents", net + shipping + tax}};
}

// The stock of this host's life. A step may run again: what it has reserved stands under its key.
class Stock final {
 public:
  json::object Reserve(const tasker_step& step) {
    const std::lock_guard lock(mu_);
    const std::string key(tasker::view(step.idempotency_key));
    if (const auto known = reserved_.find(key); known != reserved_.end()) return known->second;
    const json::value context = ContextOf(step);
    std::map<std::string, std::int64_t, std::less<>> taken = taken_;
    for (const json::value& item : context.at("items").as_array()) {
      const Article& article = ArticleOf(item);
      const auto sku = json::value_to<std::string>(item.at("sku"));
      if ((taken[sku] += item.at("quantity").as_int64()) > article.stock)
        throw tasker::PermanentError("'" + sku + "' is sold out");
    }
    taken_ = std::move(taken);
    return reserved_[key] = {{"reserved", context.at("items")}};
  }

 private:
  std::mutex mu_;
  std::map<std::string, std::int64_t, std::less<>> taken_;
  std::map<std::string, json::object> reserved_;  // by the step's idempotency key
};

}  // namespace

TASKER_PLUGIN("order_fulfillment", "1.0.0", plugin) {
  plugin.handler("pricing.quote", [](const tasker_step& step, tasker::Call&) {
    return json::serialize(Quote(step));
  });
  auto& stock = plugin.keep<Stock>();
  plugin.handler("inventory.reserve", [&stock](const tasker_step& step, tasker::Call&) {
    return json::serialize(stock.Reserve(step));
  });
}
