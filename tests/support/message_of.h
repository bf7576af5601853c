// What a call's InvalidArgument says.
#pragma once

#include <string>

#include "vmr/core/error.h"

namespace vmr::test {

// "nothing thrown" where the call returns; other exceptions pass.
template <typename Call>
std::string message_of(Call&& call) {
  try {
    call();
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "nothing thrown";
}

}  // namespace vmr::test
