#include "workflow/identity.h"

#include <sodium.h>

#include <algorithm>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid.hpp>

namespace tasker::workflow {
namespace {

Uuid Version5(const Uuid& space, std::string_view name) {
  boost::uuids::uuid in{};
  std::ranges::copy(space.bytes, in.begin());
  const boost::uuids::uuid made = boost::uuids::name_generator_sha1(in)(name.data(), name.size());
  Uuid out;
  std::copy(made.begin(), made.end(), out.bytes.begin());
  return out;
}

// Ours, made once by uuidgen, so that names here meet nobody else's.
Uuid Space() { return *Uuid::Parse("6f6d0a54-7be1-4a7c-9d0b-3c3a1f1c2b11"); }

std::string Joined(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) {
    // Length first: ("a", "bc") and ("ab", "c") are different names.
    out.append(std::to_string(part.size())).append(":").append(part);
  }
  return out;
}

}  // namespace

std::string Sha256Hex(std::string_view text) {
  unsigned char hash[crypto_hash_sha256_BYTES];
  crypto_hash_sha256(hash, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  char hex[sizeof hash * 2 + 1];
  sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
  return hex;
}

Uuid StepUuid(const Uuid& task, std::int32_t n) {
  return Version5(task, "step:" + std::to_string(n));
}

Uuid CallId(const Uuid& task, std::int64_t claim) {
  return Version5(task, "call:" + std::to_string(claim));
}

Uuid NamedTaskUuid(std::string_view ns, std::string_view name, std::string_view version) {
  return Version5(Space(), Joined({ns, name, version}));
}

Uuid NamedStepUuid(std::string_view ns, std::string_view name, std::string_view version,
                   std::string_view step) {
  return Version5(Space(), Joined({ns, name, version, step}));
}

std::string Identity(std::string_view ns, std::string_view name, std::string_view version,
                     std::string_view key) {
  return Sha256Hex(Joined({ns, name, version, key}));
}

}  // namespace tasker::workflow
