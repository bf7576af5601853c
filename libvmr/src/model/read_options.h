// What the factory knows of each kind of model: its options from JSON, not yet checked against each
// other (the model's constructor does), and the inputs that follow from them.
#pragma once

#include "vmr/model/cbvmr.h"
#include "vmr/model/cmvae.h"
#include "vmr/model/ut_cmvmr.h"

namespace vmr::model {

CbvmrOptions read_cbvmr_options(const nlohmann::json& config);
CmvaeOptions read_cmvae_options(const nlohmann::json& config);
UtCmvmrOptions read_ut_cmvmr_options(const nlohmann::json& config);

ModelInputs model_inputs(const CbvmrOptions& options);
ModelInputs model_inputs(const CmvaeOptions& options);
ModelInputs model_inputs(const UtCmvmrOptions& options);

}  // namespace vmr::model
