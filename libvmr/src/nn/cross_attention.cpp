#include "vmr/nn/cross_attention.h"

#include "vmr/core/error.h"

namespace vmr::nn {
namespace {

void check(const TransformerEncoder& encoder, const at::Tensor& positions, const at::Tensor& item) {
  const auto dim = encoder->options.dim();
  VMR_CHECK(encoder->options.output_dim() == dim && positions.dim() == 2 &&
                positions.size(0) == 2 && positions.size(1) == dim && item.dim() == 2 &&
                item.size(1) == dim,
            "cross attention: expected an encoder ", dim, " -> ", dim, ", positions [2, ", dim,
            "] and items [batch, ", dim, "], got an encoder to ", encoder->options.output_dim(),
            ", positions ", positions.sizes(), ", items ", item.sizes());
}

}  // namespace

std::pair<at::Tensor, at::Tensor> attend_pair(TransformerEncoder& encoder,
                                              const at::Tensor& positions, const at::Tensor& first,
                                              const at::Tensor& second) {
  check(encoder, positions, first);
  VMR_CHECK(first.sizes() == second.sizes(), "attend_pair: ", first.sizes(), " against ",
            second.sizes(), "; expected one partner for each item");
  const auto pair = at::stack({first, second}, 1);
  const auto attended = pair + encoder(pair + positions);
  return {attended.select(1, 0), attended.select(1, 1)};
}

at::Tensor attend_alone(TransformerEncoder& encoder, const at::Tensor& positions,
                        const at::Tensor& own, const at::Tensor& partner, int64_t own_place) {
  check(encoder, positions, own);
  VMR_CHECK(
      partner.dim() == 1 && partner.size(0) == own.size(1) && (own_place == 0 || own_place == 1),
      "attend_alone: partner ", partner.sizes(), " at place ", 1 - own_place, "; expected [",
      own.size(1), "] and own_place 0 or 1");
  const auto other = partner.expand_as(own);
  const auto pair = own_place == 0 ? at::stack({own, other}, 1) : at::stack({other, own}, 1);
  return own + encoder->row(pair + positions, own_place);
}

}  // namespace vmr::nn
