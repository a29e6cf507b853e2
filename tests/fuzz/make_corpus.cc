// Writes tests/fuzz/corpus from real encodings: fuzz_make_corpus FOLDER
//
// One small file an idea; the fuzzer finds the rest. Found inputs, kept after their cure, lie
// beside them and are named found-*; they are left alone.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <optional>

#include "collectives-bench/report.h"
#include "launcher/coordinator/agent_facts.h"
#include "launcher/coordinator/messages.h"
#include "launcher/health/gpu_report.h"
#include "rendezvous/serve_messages.h"
#include "rendezvous/sidecar_messages.h"
#include "rendezvous/tcpstore/operations.h"
#include "rendezvous/tcpstore/replies.h"
#include "tests/rendezvous/core/sample_messages.h"

namespace muster {
namespace {

class Corpus {
 public:
  Corpus(const std::filesystem::path& root, const char* target) : folder_(root / target) {
    std::filesystem::create_directories(folder_);
  }

  void add(const std::string& name, const std::string& bytes) const {
    std::ofstream file(folder_ / name, std::ios::binary);
    file << bytes;
  }
  // Behind the byte that chooses among what a target reads.
  void add(const std::string& name, char what, const std::string& bytes) const {
    add(name, std::string(1, what) + bytes);
  }

 private:
  std::filesystem::path folder_;
};

std::string bytes_of(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes.push_back(static_cast<char>(value));
  return bytes;
}

void write_frames(const std::filesystem::path& root) {
  using namespace rendezvous;
  const Corpus corpus(root, "frames");
  std::string all;
  for (const Message& message : sample_messages()) {
    const std::string bytes = encode(message, Generation{7});
    corpus.add(std::string(name_of(message)), '\0', bytes);
    all += bytes;
  }
  corpus.add("all-in-pieces-of-7", '\7', all);
  corpus.add("http", '\0', "GET / HTTP/1.1\r\nHost: node1\r\n\r\n");
}

// A step of a script that says this message: what, connection, piece, kind, generation, body.
std::string say(int step, int connection, const rendezvous::Message& message, int generation) {
  const std::string frame = rendezvous::encode(message, Generation{0});
  const std::string body = frame.substr(rendezvous::kFrameHeaderSize);
  return bytes_of({step, connection, 0, frame[5], generation, static_cast<int>(body.size() & 0xff),
                   static_cast<int>(body.size() >> 8)}) +
         body;
}

// The numbers of the steps stand in server_engine_fuzz.cc and member_engine_fuzz.cc.
void write_server_scripts(const std::filesystem::path& root) {
  using namespace rendezvous;
  const Corpus corpus(root, "server_engine");
  for (int method = 0; method < 3; ++method) {
    std::string assembled = bytes_of({method, 60, 1});  // two members
    assembled += bytes_of({0, 0, 0, 1, 1, 1, 0, 1, 2, 1});
    if (method == 0) assembled += bytes_of({6, 1, 0, 6, 2, 0});  // munge answers
    for (int id = 1; id <= 2; ++id) assembled += say(2, id, Ack{}, 1);
    const std::string name = "method-" + std::to_string(method);
    corpus.add(name + "-assembles", assembled);
    std::string works = assembled;
    for (const Message& message : sample_messages()) works += say(2, 1, message, 1);
    corpus.add(name + "-then-every-message", works);
    corpus.add(name + "-then-leaves", assembled + say(2, 2, Leave{}, 1) + bytes_of({7, 255, 20}));
    corpus.add(name + "-then-is-silent", assembled + bytes_of({7, 232, 3, 7, 255, 30, 5, 2}));
    corpus.add(name + "-then-breaks-off", assembled + bytes_of({4, 1, 7, 255, 20, 4, 2}));
    corpus.add(name + "-nobody-comes", bytes_of({method, 1, 3, 7, 255, 2, 7, 255, 255}));
    corpus.add(name + "-strangers", bytes_of({method, 60, 1, 0, 0, 3, 1, 1, 8, 0}) + "GET / HT" +
                                        bytes_of({0, 3, 7, 255, 40, 7, 255, 40}));
    corpus.add(name + "-joins-twice", bytes_of({method, 60, 1, 0, 0, 0, 1, 1, 1, 1, 2, 1,
                                                6,      1,  0, 6, 2, 1, 1, 2, 9, 6, 2, 3}));
  }
  std::string local = bytes_of({1, 60, 1, 0, 7, 0, 1, 1, 0, 1, 2, 1});
  for (int id = 1; id <= 2; ++id) local += say(2, id, Ack{}, 1);
  for (const int kind : {1, 2, 3}) {
    const Arrive arrive{static_cast<CollectiveKind>(kind), "n", MemberIndex{0}, "x"};
    local += say(2, 1, arrive, 1) + say(2, 2, AskMissing{"n"}, 1) + say(2, 2, arrive, 1);
  }
  local += say(2, 1, GetRequest{RequestId{1}, "k"}, 1) +
           say(2, 2, SetRequest{RequestId{1}, "k", "v"}, 1) +
           say(2, 1, AddRequest{RequestId{2}, "n", 3}, 1);
  corpus.add("works", local + bytes_of({8, 1}) + "to one  " + bytes_of({9}) + "to all  ");
}

void write_member_scripts(const std::filesystem::path& root) {
  using namespace rendezvous;
  const Corpus corpus(root, "member_engine");
  for (int method = 0; method < 3; ++method) {
    std::string joined = bytes_of({method, 60, 0, 0, 1, 3, 1, 0, 0});
    if (method == 0) joined += bytes_of({6, 1, 0});  // munge answers
    joined += bytes_of({3, 1, 1, 0});
    const std::string committed = joined + bytes_of({3, 1, 3, 1, 3, 1, 4, 1});
    const std::string name = "method-" + std::to_string(method);
    corpus.add(name + "-commits", committed);
    corpus.add(name + "-is-refused", bytes_of({method, 60, 0, 0, 1, 3, 1, 0, 0, 6, 1, 0, 3, 1, 2}));
    corpus.add(name + "-loses-its-server", joined + bytes_of({4, 1, 0, 2, 7, 255, 255}));
    corpus.add(name + "-sees-it-go", bytes_of({method, 60,  0, 0, 1, 3, 1, 0, 0, 4, 1,   11, 1,
                                               7,      255, 3, 0, 2, 3, 2, 0, 0, 7, 255, 3}));
    corpus.add(name + "-leaves", committed + bytes_of({10, 8, 3, 1, 5, 1}));
    std::string works = committed;
    for (int kind = 0; kind < 8; ++kind) works += bytes_of({9, kind, 232, 3});
    works += bytes_of({3, 1, 6, 1, 3, 1, 7, 1, 3, 1, 8, 1, 3, 1, 9, 1, 3, 1, 10, 1, 7, 255, 3});
    corpus.add(name + "-works", works);
    std::string told = committed;
    for (const Message& message : sample_messages()) told += say(1, 1, message, 1);
    corpus.add(name + "-hears-every-message", told);
    corpus.add(name + "-starts-too-late", committed + bytes_of({4, 1, 9, 4, 232, 3, 10, 8}));
    corpus.add(name + "-nobody-answers", bytes_of({method, 1, 0, 0, 1, 7, 255, 40, 7, 255, 255}));
  }
}

void write_slurm(const std::filesystem::path& root) {
  const Corpus corpus(root, "slurm");
  corpus.add("hosts-padded", '\0', "node[01-03,7],login,gpu-[1-2]-[8,10]x");
  corpus.add("hosts-large", '\0', "n[0-65535]");
  corpus.add("hosts-huge-number", '\0', "n[999999999999999998-999999999999999999]");
  corpus.add("hosts-broken", '\0', "node[1-2");
  corpus.add("counts", '\1', "8(x3),4,65535(x2)");
  corpus.add("ports", '\2', "12000-12004,13000");
  const std::string step =
      "SLURM_JOB_ID=4242\nSLURM_STEP_ID=1\nSLURM_STEP_NODELIST=n[1-2]\n"
      "SLURM_STEP_TASKS_PER_NODE=2(x2)\nSLURM_STEP_NUM_NODES=2\nSLURM_STEP_NUM_TASKS=4\n"
      "SLURM_NODEID=1\nSLURM_LOCALID=1\nSLURM_PROCID=3\nSLURMD_NODENAME=n2\n"
      "SLURM_JOB_NAME=train\nSLURM_STEP_RESV_PORTS=20012-20014\n";
  corpus.add("step", '\3', step);
  corpus.add("step-special", '\3', step + "SLURM_STEP_ID=4294967291\n");
  corpus.add("step-requeued", '\3', "SLURM_RESTART_COUNT=3\n" + step);
}

void write_options(const std::filesystem::path& root) {
  const Corpus corpus(root, "options");
  corpus.add("script", "--nproc-per-node=8\ntrain.py\n--lr\n0.1\n");
  corpus.add("torchrun", "--nnodes=2:4\n--rdzv-backend=c10d\n--max_restarts\n3\n-m\npackage.mod\n");
  corpus.add("check", "--check=nccl\n--check-min-busbw=12.5\n--check-sizes=8M,1G\n--\n./a.out\n");
  corpus.add("output", "--output=both\n--prefix=${host} ${rank}\n--log-dir=x\n--stdin=0\nx.py\n");
  corpus.add("times", "--assemble-deadline=2m\n--stop-grace=0.5\n--standalone\n--dry-run\nx.py\n");
  corpus.add("hostnames", "hostnames\nn[1-4]\n");
  corpus.add("muster-check", "check\n--profile=p5\n--json=x.json\n--health-only\n");
  corpus.add("misspelt", "--nprocpernode=8\nx.py\n");
  corpus.add("environment",
             "x.py\n--env--\nPET_NPROC_PER_NODE=gpu\nPET_NNODES=4\nPET_NODE_RANK=1\nPET_TEE=3\n");
}

void write_coordinator_messages(const std::filesystem::path& root) {
  using namespace launcher;
  const Corpus corpus(root, "coordinator_messages");
  StartCheck check;
  check.groups = {{1, 12001, 4, {{0, 2}, {6, 1}}}};
  check.arguments = {"all_reduce", "-b", "8"};
  check.key = "key";
  StopGang stop;
  stop.signal = 15;
  stop.grace = Duration(15000);
  corpus.add("start-check", '\0', encode(ToAgent(check)));
  corpus.add("start-workers", '\0', encode(ToAgent(StartWorkers{})));
  corpus.add("stop", '\0', encode(ToAgent(stop)));
  corpus.add("become", '\0', encode(ToAgent(BecomeProgram{})));
  corpus.add("close", '\0', encode(ToAgent(CloseJob{137})));
  const StoreConnection connection{7, {"10.0.0.2", 40000}, {"10.0.0.1", 13000}};
  corpus.add("open-store", '\0', encode(ToAgent(OpenStore{Attempt{1}, 13000, {}})));
  corpus.add("find-owners", '\0', encode(ToAgent(FindOwners{Attempt{1}, {connection}})));
  corpus.add("owners-told", '\0',
             encode(ToAgent(OwnersTold{Attempt{1}, {{7, Finding::kOwner, 1000}}})));
  corpus.add("ask-owners", '\1', encode(FromAgent(AskOwners{Attempt{1}, {connection}})));
  corpus.add("owners-found", '\1',
             encode(FromAgent(OwnersFound{Attempt{1}, {{7, Finding::kOwner, 1000}}})));
  corpus.add("look", '\0', encode(ToAgent(LookAtNode{LookId{1}})));
  corpus.add("looked", '\1',
             encode(FromAgent(NodeLooked{LookId{1}, "{}", "late", {"NCCL_DEBUG=INFO"}})));
  WorkerEnded ended;
  ended.end.place = {Rank{9}, LocalRank{1}, NodeIndex{1}, "node2"};
  ended.end.status = process::ExitStatus::killed(11, true);
  ended.end.error_file = "{\"message\": 1}";
  ended.end.stderr_tail = {"one", "two"};
  corpus.add("ended", '\1', encode(FromAgent(ended)));
  ended.end.start_failure = verdict::StartFailure{"exec /x: No such file", 127};
  ended.end.stop_sent = WallTime(std::chrono::nanoseconds(7));
  corpus.add("not-started", '\1', encode(FromAgent(ended)));
  GangFinished finished;
  finished.reports = {"{}", ""};
  corpus.add("finished", '\1', encode(FromAgent(finished)));
  corpus.add("started", '\1', encode(FromAgent(WorkersStarted{GangId{2}})));
  corpus.add("cancel", '\1', encode(FromAgent(CancelSeen{15, 99})));
  corpus.add("acknowledged", '\1', encode(FromAgent(CloseAcknowledged{})));
  AgentFacts facts;
  facts.version = "0.1.0";
  facts.resources.gpus = {"GPU-1", "GPU-2"};
  facts.driver_problem = "no answer";
  facts.error = "cannot start";
  corpus.add("facts", '\2', encode(facts));
}

void write_reports(const std::filesystem::path& root) {
  const Corpus corpus(root, "reports");
  bench::RankReport report;
  report.rank = 1;
  report.size = 4;
  report.host = "node1";
  report.backend = "fabric";
  bench::Row row;
  row.bytes = 1024;
  row.count = 256;
  row.out_of_place = {.time_us = 12.5, .mean_us = 13, .algbw = 0.1, .busbw = 0.15, .wrong = 0};
  report.rows = {row};
  corpus.add("bench", '\0', bench::print_report(report));
  report.error = bench::ReportError{ErrorCode::kTimeout, "nothing", bench::Phase::kWarmup};
  corpus.add("bench-error", '\0', bench::print_report(report));
  corpus.add("gpu", '\1', encode(health::GpuReport{{"GPU-1-a", "GPU-2-b"}, "", {"GPU 3: lost"}}));
  corpus.add("error-file", '\2',
             "{\"message\": {\"message\": \"ValueError: x\", \"extraInfo\": {\"py_callstack\": "
             "\"Traceback\", \"timestamp\": \"1700000000\"}}}");
  corpus.add("error-file-text", '\2', "{\"message\": \"words\"}");
  corpus.add("traceback", '\3',
             "[rank1]: Traceback (most recent call last):\n  File \"t.py\", line 3, in <module>\n"
             "    f()\nValueError: no\n\nThe above exception was the direct cause\n\n"
             "Traceback (most recent call last):\n  File \"t.py\", line 5, in f\nKeyError: 'x'\n");
  corpus.add("terminal", '\3', "\x1b[31mred\x1b[0m 10%\r 90%\r100% \xe2\x82\xac \xff\n");
}

void write_sidecar(const std::filesystem::path& root) {
  using namespace rendezvous;
  const Corpus corpus(root, "sidecar");
  const std::string encode_call_bytes = encode_call(MungeEncode{"/run/munge", "payload"});
  corpus.add("call-encode", '\0', encode_call_bytes);
  corpus.add("call-decode", '\0', encode_call(MungeDecode{"", "MUNGE:AwQ="}));
  corpus.add("call-look-up", '\0', encode_call(LookUpHosts{{"node1", "node2"}}));
  corpus.add("answer-credential", '\1', encode_answer(SidecarAnswer(MungeCredential{"MUNGE:A"})));
  corpus.add("answer-content", '\1', encode_answer(SidecarAnswer(MungeContent{1000, "payload"})));
  const HostAddresses host{"node1", "", {{"10.0.0.1", AddressKind::kElsewhere}}};
  corpus.add("answer-hosts", '\1', encode_answer(SidecarAnswer(LookedUpHosts{{host}})));
  corpus.add("answer-error", '\1', encode_answer(failure(ErrorCode::kTimeout, "too late")));
  ServerOptions options;
  options.incarnation = {4242, 0, 1, "check.0"};
  options.expected = {{NodeIndex{0}, LocalTask{0}, "n0"}, {NodeIndex{1}, LocalTask{0}, "n1"}};
  options.ports = {12000, 12001};
  options.authentication = {AuthenticationMethod::kKey, "sixteen bytes or", ""};
  corpus.add("serve", '\2', to_json(options));
  corpus.add("serving", '\3', to_json(ServeReport(Serving{12000})));
  corpus.add("serve-error", '\3', to_json(ServeReport(Error(ErrorCode::kSystem, "no port"))));
  corpus.add("frames", '\4', framed(encode_call_bytes) + framed("") + framed("x"));
  corpus.add("shape", '\5', "8(x3),4");
}

// A request of the new era: its opcode, then what the caller appends.
std::string request(tcpstore::Operation operation, std::initializer_list<const char*> strings,
                    std::optional<std::int64_t> number = {}, bool is_list = false) {
  std::string bytes(1, static_cast<char>(operation));
  if (is_list) tcpstore::append_number(bytes, std::uint64_t{strings.size()});
  for (const char* const string : strings) tcpstore::append_string(bytes, string);
  if (number) tcpstore::append_number(bytes, *number);
  return bytes;
}

// A step of a script: the client, the piece, the bytes.
std::string told(int client, int piece, const std::string& bytes) {
  return bytes_of({client, piece, static_cast<int>(bytes.size() & 0xff),
                   static_cast<int>(bytes.size() >> 8)}) +
         bytes;
}

void write_tcpstore(const std::filesystem::path& root) {
  using namespace tcpstore;
  using Op = Operation;
  const Corpus corpus(root, "tcpstore");
  std::string hello(1, static_cast<char>(Op::kValidate));
  append_number(hello, kValidateMagic);
  hello.push_back(static_cast<char>(Op::kPing));
  append_number(hello, std::uint32_t{7});
  const std::string set = request(Op::kSet, {"key", "value"});
  const std::string wait = request(Op::kWait, {"key", "late"}, {}, true);
  corpus.add("set-get", told(0, 0, hello + set + request(Op::kGet, {"key"})));
  corpus.add("set-get-in-bytes", told(0, 1, hello + set + request(Op::kGet, {"key"})));
  corpus.add("numbers", told(0, 3,
                             hello + request(Op::kAdd, {"n"}, 5) + request(Op::kAdd, {"key"}, -1) +
                                 request(Op::kCountKeys, {})));
  corpus.add("wait", told(0, 0, hello + wait) + told(1, 2, hello + set) +
                         told(1, 0, request(Op::kSet, {"late", ""})));
  corpus.add("cancel", told(0, 0, hello + wait + request(Op::kCancelWait, {})) +
                           told(0, 0, request(Op::kCheck, {"key"}, {}, true)));
  corpus.add("leaves-waiting",
             told(0, 0, hello + wait) + bytes_of({240}) + told(1, 0, hello + set));
  corpus.add("many", told(0, 5, hello + request(Op::kMultiSet, {"a", "1", "b", "2"}, {}, true)) +
                         told(0, 0,
                              request(Op::kMultiGet, {"a", "b"}, {}, true) +
                                  request(Op::kListKeys, {}) + request(Op::kDeleteKey, {"a"})));
  corpus.add("swap", told(0, 0,
                          hello + request(Op::kCompareSet, {"k", "", "x"}) +
                              request(Op::kCompareSet, {"k", "x", "y"}) +
                              request(Op::kAppend, {"k", "z"})));
  corpus.add("queue", told(0, 0, hello + request(Op::kQueuePop, {"q"})) +
                          told(1, 0,
                               hello + request(Op::kQueuePush, {"q", "item"}) +
                                   request(Op::kQueueLength, {"q"})));
  corpus.add("barrier", told(0, 0, hello + request(Op::kBarrier, {"b"}, 2)) +
                            told(1, 0, hello + request(Op::kBarrier, {"b"}, 2)));
  // The old era: another numbering, no VALIDATE first.
  corpus.add(
      "old-set-get",
      told(0, 0, std::string(1, '\0') + set.substr(1) + std::string(1, '\2') + set.substr(1, 11)));
  corpus.add("http", told(0, 0, "GET / HTTP/1.1\r\n\r\n"));
}

}  // namespace
}  // namespace muster

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_make_corpus FOLDER, e.g. tests/fuzz/corpus\n");
    return 2;
  }
  const std::filesystem::path root = argv[1];
  muster::write_frames(root);
  muster::write_server_scripts(root);
  muster::write_member_scripts(root);
  muster::write_slurm(root);
  muster::write_options(root);
  muster::write_coordinator_messages(root);
  muster::write_reports(root);
  muster::write_sidecar(root);
  muster::write_tcpstore(root);
  return 0;
}
