#pragma once

namespace fares {

// In cents, of a journey of so many kilometres.
int Price(double kilometres);

}  // namespace fares
