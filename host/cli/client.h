#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/uuid.h"
#include "config/config.h"
#include "store/reads.h"
#include "store/store.h"

namespace tasker::cli {

// A command's connection to the store: it writes as a client, through the turnstile, and never
// claims.
struct Client {
  std::unique_ptr<store::Store> store;
  std::unique_ptr<store::Reader> reader;  // after the store, so that it goes first
};

enum class Missing { kCreate, kRefuse };  // where there is no store yet

Result<Client> OpenClient(const config::Config& config, Missing missing);

// By its uuid, or by a beginning that only one task has.
Result<Uuid> FindTask(const std::string& uuid_or_prefix, store::Reader& reader);

Time WallNow();

// One event in a turn of its own, sent again where it may not have arrived: it is idempotent by its
// id. It carries a ticket. `noun` is what is done, for errors.
Result<store::Ack> SendEvent(store::Event event, std::string_view noun, store::Store& store);

// The number of the step with this name; kNotFound names those that there are.
Result<std::int32_t> FindStep(const store::TaskView& view, std::string_view name);

// The ids of the workers that live.
Result<std::vector<std::int64_t>> LiveWorkers(store::Store& store);

}  // namespace tasker::cli
