// Waveform -> band energies on the device of the waveform: what log_mel, onsets and fbank share.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "audio/log_mel_kernels.h"
#include "audio/mel_bank.h"

namespace vmr::audio::detail {

// waveform [batch, samples] float32 or float64, contiguous. Fills in shape.batch, shape.samples and
// mel.bins. Returns [batch, frames, mels]. `function` names the caller in errors.
at::Tensor mel_energies(const char* function, const at::Tensor& waveform,
                        const std::vector<double>& window, const MelBank& bank, FrameShape shape,
                        MelShape mel);

// log_mel without top_decibels and before its transposition: [batch, frames, mels]. Checks the
// number of samples only.
at::Tensor log_mel_rows(const at::Tensor& waveform, const LogMelOptions& options);

// Throws InvalidArgument unless waveform is [samples], or [batch, samples] where `batched`, of
// float32, or float64 where `doubles`.
void check_waveform(const char* function, const at::Tensor& waveform, bool batched, bool doubles);

// Throws: InvalidArgument for a sample that is not finite, or so large that its power is not.
// samples: contiguous float32 on the CPU.
void check_samples(const char* function, const at::Tensor& samples);

}  // namespace vmr::audio::detail
