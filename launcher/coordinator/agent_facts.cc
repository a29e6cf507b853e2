#include "launcher/coordinator/agent_facts.h"

#include <set>

#include "launcher/coordinator/string_lists.h"
#include "rendezvous/base/bytes.h"

namespace muster::launcher {

namespace {

constexpr std::size_t kMaxText = 4096;
constexpr std::uint32_t kMaxGpus = 64;
constexpr std::uint32_t kMaxAddresses = 64;

plan::SlotWish read_slots(ByteReader& reader) {
  plan::SlotWish wish;
  wish.source = static_cast<plan::SlotSource>(
      reader.count(static_cast<std::uint32_t>(plan::SlotSource::kAuto)));
  wish.count = reader.u32();
  return wish;
}

}  // namespace

std::string encode(const AgentFacts& facts) {
  ByteWriter writer;
  writer.string(facts.version).u32(facts.resources.cores);
  writer.u8(facts.resources.bound_by_slurm ? 1 : 0);
  write_strings(writer, facts.resources.gpus);
  write_strings(writer, facts.resources.reachable_gpus);
  writer.u32(static_cast<std::uint32_t>(facts.slots.source)).u32(facts.slots.count);
  writer.u8(facts.has_nccl_backend ? 1 : 0).u8(facts.has_fabric_backend ? 1 : 0);
  write_strings(writer, facts.addresses);
  writer.string(std::string_view(facts.driver_problem).substr(0, kMaxText));
  writer.string(std::string_view(facts.error).substr(0, kMaxErrorText)).u32(facts.error_exit_code);
  return writer.take();
}

Result<AgentFacts> parse_agent_facts(std::string_view bytes) {
  ByteReader reader(bytes);
  AgentFacts facts;
  facts.version = reader.string(kMaxText);
  facts.resources.cores = reader.u32();
  facts.resources.bound_by_slurm = reader.u8() != 0;
  facts.resources.gpus = read_strings(reader, kMaxGpus, kMaxText);
  facts.resources.reachable_gpus = read_strings(reader, kMaxGpus, kMaxText);
  facts.slots = read_slots(reader);
  facts.has_nccl_backend = reader.u8() != 0;
  facts.has_fabric_backend = reader.u8() != 0;
  facts.addresses = read_strings(reader, kMaxAddresses, kMaxText);
  facts.driver_problem = reader.string(kMaxText);
  facts.error = reader.string(kMaxErrorText);
  facts.error_exit_code = reader.u32();
  MUSTER_RETURN_IF_ERROR(reader.finish("agent's facts"));
  return facts;
}

Result<plan::JobPlan> plan_roster(const rendezvous::Roster& roster, const plan::SlotWish& slots,
                                  const std::vector<NodeIndex>& left_out) {
  std::vector<plan::AgentPlace> places;
  std::vector<MemberIndex> taken;  // the plan counts the places it is given
  const std::set<NodeIndex> out(left_out.begin(), left_out.end());
  for (const rendezvous::Member& member : roster.members) {
    const rendezvous::MemberDescription& self = member.description;
    if (out.contains(self.node)) continue;
    Result<AgentFacts> facts = parse_agent_facts(self.facts);
    if (!facts) {
      return failure(facts.error().within(self.host + ": is it the same muster there?"));
    }
    places.push_back({self.node, self.task, self.host, std::move(facts->resources), facts->slots});
    taken.push_back(member.index);
  }
  MUSTER_TRY(job, plan::plan_job(places, slots));
  for (plan::NodePlan& node : job.nodes) node.first_agent = taken[value_of(node.first_agent)];
  for (plan::WorkerPlan& worker : job.workers) worker.agent = taken[value_of(worker.agent)];
  return job;
}

}  // namespace muster::launcher
