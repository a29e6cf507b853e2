#include "launcher/health/probes/health_facts.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <type_traits>

namespace muster::health {

namespace {

using Json = nlohmann::json;

// Each field is named once; a visitor writes or reads it.
template <class Visitor, class Gpu>
void visit_gpu(Visitor& visit, Gpu& gpu) {
  visit("index", gpu.index);
  visit("uuid", gpu.uuid);
  visit("bus_id", gpu.bus_id);
  visit("name", gpu.name);
  visit("problem", gpu.problem);
  visit("ecc_enabled", gpu.ecc_enabled);
  visit("ecc_uncorrected", gpu.ecc_uncorrected);
  visit("ecc_uncorrected_lifetime", gpu.ecc_uncorrected_lifetime);
  visit("ecc_corrected", gpu.ecc_corrected);
  visit("rows_remapped", gpu.rows_remapped);
  visit("remap_pending", gpu.remap_pending);
  visit("remap_failed", gpu.remap_failed);
  visit("recovery_action", gpu.recovery_action);
  visit("nvlinks_active", gpu.nvlinks_active);
  visit("nvlinks_down", gpu.nvlinks_down);
  visit("nvlink_errors", gpu.nvlink_errors);
  visit("pcie_width", gpu.pcie_width);
  visit("pcie_max_width", gpu.pcie_max_width);
  visit("pcie_generation", gpu.pcie_generation);
  visit("pcie_max_generation", gpu.pcie_max_generation);
  visit("pcie_replays", gpu.pcie_replays);
  visit("fabric_state", gpu.fabric_state);
  visit("fabric_status", gpu.fabric_status);
  visit("fabric_health", gpu.fabric_health);
  visit("sm_clock", gpu.sm_clock);
  visit("max_sm_clock", gpu.max_sm_clock);
  visit("clock_reasons", gpu.clock_reasons);
  visit("software_thermal_ns", gpu.software_thermal_ns);
  visit("hardware_thermal_ns", gpu.hardware_thermal_ns);
  visit("power_brake_ns", gpu.power_brake_ns);
  visit("temperature", gpu.temperature);
  visit("memory_used", gpu.memory_used);
  visit("processes", gpu.processes);
  visit("mig_mode", gpu.mig_mode);
  visit("compute_mode", gpu.compute_mode);
  visit("persistence", gpu.persistence);
}

template <class Visitor, class Nic>
void visit_nic(Visitor& visit, Nic& nic) {
  visit("name", nic.name);
  visit("vendor", nic.vendor);
  visit("state", nic.state);
  visit("rate_gbit", nic.rate_gbit);
  visit("counters", nic.counters);
}

template <class Visitor, class Xid>
void visit_xid(Visitor& visit, Xid& xid) {
  visit("bus_id", xid.bus_id);
  visit("code", xid.code);
  visit("age_s", xid.age_s);
}

template <class Visitor, class Disk>
void visit_disk(Visitor& visit, Disk& disk) {
  visit("path", disk.path);
  visit("free_bytes", disk.free_bytes);
}

template <class Visitor, class Nccl>
void visit_nccl(Visitor& visit, Nccl& nccl) {
  visit("version", nccl.version);
  visit("plugin_version", nccl.plugin_version);
  visit("network", nccl.network);
  visit("provider", nccl.provider);
  visit("nics", nccl.nics);
  visit("net_channels", nccl.net_channels);
  visit("direct_channels", nccl.direct_channels);
  visit("nvls", nccl.nvls);
  visit("algorithm", nccl.algorithm);
}

template <class Visitor, class Host>
void visit_host(Visitor& visit, Host& host) {
  visit("instance_type", host.instance_type);
  visit("instance_id", host.instance_id);
  visit("memlock", host.memlock);
  visit("nofile", host.nofile);
  visit("shm_bytes", host.shm_bytes);
  visit("shm_leftovers", host.shm_leftovers);
  visit("gpu_files", host.gpu_files);
  visit("kernel_xids", host.kernel_xids);
  visit("watched_xids", host.watched_xids);
  visit("disks", host.disks);
  visit("modules", host.modules);
  visit("plugins", host.plugins);
  visit("nics", host.nics);
}

template <class Visitor, class Facts>
void visit_facts(Visitor& visit, Facts& facts) {
  visit("taken_at_ms", facts.taken_at_ms);
  visit("driver_problem", facts.driver_problem);
  visit("has_driver", facts.has_driver);
  visit("gpus", facts.gpus);
  visit("host_problem", facts.host_problem);
  visit("host", facts.host);
  visit("nccl", facts.nccl);
  visit("clock_offset_us", facts.clock_offset_us);
  visit("clock_uncertainty_us", facts.clock_uncertainty_us);
  visit("versions", facts.versions);
}

template <class Visitor, class T>
void visit_struct(Visitor& visit, T& value) {
  using Plain = std::remove_const_t<T>;
  if constexpr (std::is_same_v<Plain, GpuFacts>) visit_gpu(visit, value);
  if constexpr (std::is_same_v<Plain, NicFacts>) visit_nic(visit, value);
  if constexpr (std::is_same_v<Plain, XidEvent>) visit_xid(visit, value);
  if constexpr (std::is_same_v<Plain, DiskFacts>) visit_disk(visit, value);
  if constexpr (std::is_same_v<Plain, NcclFacts>) visit_nccl(visit, value);
  if constexpr (std::is_same_v<Plain, HostFacts>) visit_host(visit, value);
  if constexpr (std::is_same_v<Plain, HealthFacts>) visit_facts(visit, value);
}

class Writer {
 public:
  template <class T>
  void operator()(const char* name, const T& value) {
    object_[name] = to_json(value);
  }
  Json take() { return std::move(object_); }

 private:
  static Json to_json(std::uint64_t value) { return value; }
  static Json to_json(std::int64_t value) { return value; }
  static Json to_json(bool value) { return value; }
  static Json to_json(const std::string& value) { return value.substr(0, kMaxFactText); }
  template <class T>
  static Json to_json(const Fact<T>& fact) {
    return fact.value ? to_json(*fact.value) : Json(fact.absent.substr(0, kMaxFactText));
  }
  template <class T>
  static Json to_json(const std::vector<T>& values) {
    Json list = Json::array();
    for (const T& value : values) {
      if (list.size() == kMaxFactItems) break;
      list.push_back(to_json(value));
    }
    return list;
  }
  template <class T>
  static Json to_json(const std::map<std::string, T>& values) {
    Json object = Json::object();
    for (const auto& [name, value] : values) {
      if (object.size() == kMaxFactItems) break;
      object[name.substr(0, kMaxFactText)] = to_json(value);
    }
    return object;
  }
  template <class T>
  requires std::is_class_v<T>
  static Json to_json(const T& value) {
    Writer writer;
    visit_struct(writer, value);
    return writer.take();
  }

  Json object_ = Json::object();
};

// Keeps the name of the first field that does not fit.
class Reader {
 public:
  Reader(const Json& object, std::string& bad) : object_(object), bad_(bad) {}

  template <class T>
  void operator()(const char* name, T& value) {
    const auto found = object_.find(name);
    if ((found == object_.end() || !read(*found, value)) && bad_.empty()) bad_ = name;
  }

 private:
  bool read(const Json& json, std::uint64_t& value) {
    if (!json.is_number_unsigned()) return false;
    value = json.get<std::uint64_t>();
    return true;
  }
  bool read(const Json& json, std::int64_t& value) {
    if (!json.is_number_integer()) return false;
    if (json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX) return false;
    value = json.get<std::int64_t>();
    return true;
  }
  bool read(const Json& json, bool& value) {
    if (!json.is_boolean()) return false;
    value = json.get<bool>();
    return true;
  }
  bool read(const Json& json, std::string& value) {
    if (!json.is_string()) return false;
    value = json.get<std::string>();
    return value.size() <= kMaxFactText;
  }
  template <class T>
  bool read(const Json& json, Fact<T>& fact) {
    if (json.is_string()) {
      fact = Fact<T>::none("");
      return read(json, fact.absent);
    }
    T value{};
    if (!read(json, value)) return false;
    fact = std::move(value);
    return true;
  }
  template <class T>
  bool read(const Json& json, std::vector<T>& values) {
    if (!json.is_array() || json.size() > kMaxFactItems) return false;
    values.resize(json.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!read(json[i], values[i])) return false;
    }
    return true;
  }
  template <class T>
  bool read(const Json& json, std::map<std::string, T>& values) {
    if (!json.is_object() || json.size() > kMaxFactItems) return false;
    for (const auto& [name, one] : json.items()) {
      if (name.size() > kMaxFactText || !read(one, values[name])) return false;
    }
    return true;
  }
  template <class T>
  requires std::is_class_v<T>
  bool read(const Json& json, T& value) {
    if (!json.is_object()) return false;
    Reader reader(json, bad_);
    visit_struct(reader, value);
    return bad_.empty();
  }

  const Json& object_;
  std::string& bad_;
};

}  // namespace

std::string encode(const HealthFacts& facts) {
  Writer writer;
  visit_facts(writer, facts);
  // Texts come from drivers and file names: what is no UTF-8 is replaced, not thrown at.
  return writer.take().dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<HealthFacts> parse_health_facts(std::string_view bytes) {
  const Json json = Json::parse(bytes, nullptr, false);
  if (!json.is_object()) {
    return failure(ErrorCode::kProtocol, "the health facts are no JSON object");
  }
  HealthFacts facts;
  std::string bad;
  Reader reader(json, bad);
  visit_facts(reader, facts);
  if (!bad.empty()) {
    return failure(ErrorCode::kProtocol,
                   "the health facts have no good '" + bad + "'; expected what encode writes");
  }
  return facts;
}

}  // namespace muster::health
