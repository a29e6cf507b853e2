#include "tests/collectives-bench/thread_exchange.h"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

namespace muster::bench::testing {

namespace {

struct Table {
  std::mutex mutex;
  std::condition_variable complete;
  std::vector<std::string> coming;
  std::vector<std::string> gathered;
  std::size_t arrived = 0;
  std::uint64_t round = 0;
};

class ThreadExchange : public Exchange {
 public:
  ThreadExchange(Table& table, std::size_t rank, std::size_t size)
      : table_(table), rank_(rank), size_(size) {}

  std::size_t rank() const override { return rank_; }
  std::size_t size() const override { return size_; }

  Result<std::vector<std::string>> all_gather(std::string bytes, Duration timeout) override {
    std::unique_lock lock(table_.mutex);
    table_.coming.resize(size_);
    table_.coming[rank_] = std::move(bytes);
    const std::uint64_t round = table_.round;
    if (++table_.arrived == size_) {
      table_.gathered = table_.coming;
      table_.arrived = 0;
      ++table_.round;
      table_.complete.notify_all();
      return table_.gathered;
    }
    const bool all = table_.complete.wait_for(lock, timeout, [&] { return table_.round != round; });
    if (!all) return failure(ErrorCode::kTimeout, "exchange: the others did not come");
    return table_.gathered;
  }

  Result<std::string> broadcast(std::size_t root, std::string bytes, Duration timeout) override {
    MUSTER_TRY(all, all_gather(std::move(bytes), timeout));
    return all[root];
  }

  Status barrier(Duration timeout) override {
    MUSTER_RETURN_IF_ERROR(all_gather("", timeout));
    return {};
  }

 private:
  Table& table_;
  std::size_t rank_;
  std::size_t size_;
};

}  // namespace

void run_ranks(std::size_t size, const std::function<void(Exchange&)>& body) {
  Table table;
  std::vector<std::thread> threads;
  for (std::size_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&table, rank, size, &body] {
      ThreadExchange exchange(table, rank, size);
      body(exchange);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace muster::bench::testing
