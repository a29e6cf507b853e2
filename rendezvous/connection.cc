#include "rendezvous/connection.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace muster::rendezvous {

namespace {

constexpr std::size_t kReadChunk = 64 * 1024;
constexpr int kReadsPerWake = 4;  // then the other connections have their turn
constexpr std::size_t kPiecesPerWrite = 64;

bool must_wait(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

Ending ending_of(int error) {
  const bool silent = error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH ||
                      error == EHOSTDOWN || error == ENETDOWN;
  std::string detail = std::strerror(error);
  if (!detail.empty() && detail[0] >= 'A' && detail[0] <= 'Z')
    detail[0] = static_cast<char>(detail[0] - 'A' + 'a');
  return {silent, detail};
}

}  // namespace

Connection::Connection(asio::io_context& loop, Fd socket, std::size_t write_cap)
    : stream_(loop, socket.release()), flush_limit_(loop), write_cap_(write_cap) {}

std::shared_ptr<Connection> Connection::create(asio::io_context& loop, Fd socket,
                                               std::size_t write_cap) {
  return std::shared_ptr<Connection>(new Connection(loop, std::move(socket), write_cap));
}

void Connection::start(OnBytes on_bytes, OnEnded on_ended) {
  on_bytes_ = std::move(on_bytes);
  on_ended_ = std::move(on_ended);
  start_read();
}

void Connection::start_read() {
  stream_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->on_readable(error);
                     });
}

void Connection::on_readable(const boost::system::error_code& error) {
  if (error || closed_ || ending_) return;
  std::array<char, kReadChunk> buffer;
  for (int i = 0; i < kReadsPerWake; ++i) {
    const ssize_t size = ::recv(stream_.native_handle(), buffer.data(), buffer.size(), 0);
    if (size > 0) {
      if (!closing_) on_bytes_(std::string_view(buffer.data(), static_cast<std::size_t>(size)));
      if (closed_ || ending_) return;
      if (static_cast<std::size_t>(size) < buffer.size()) break;
      continue;
    }
    if (size == 0) return end({false, "connection closed by peer"});
    if (errno == EINTR) continue;
    if (must_wait(errno)) break;
    return end(ending_of(errno));
  }
  start_read();
}

void Connection::send(std::shared_ptr<const std::string> bytes) {
  if (closed_ || closing_ || ending_ || bytes->empty()) return;
  if (queued_bytes_ + bytes->size() > write_cap_) {
    end_soon({false, "it does not read: " + std::to_string(queued_bytes_) + " bytes wait for it"});
    return;
  }
  queued_bytes_ += bytes->size();
  queue_.push_back(std::move(bytes));
  if (!waits_for_write_ && write_queued() && !queue_.empty()) start_write();
}

void Connection::start_write() {
  waits_for_write_ = true;
  stream_.async_wait(asio::posix::stream_descriptor::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->on_writable(error);
                     });
}

void Connection::on_writable(const boost::system::error_code& error) {
  if (error || closed_ || ending_) return;
  waits_for_write_ = false;
  if (!write_queued()) return;
  if (!queue_.empty()) {
    start_write();
  } else if (closing_) {
    say_end();
  }
}

bool Connection::write_queued() {
  while (!queue_.empty()) {
    std::array<iovec, kPiecesPerWrite> pieces;
    const std::size_t count = std::min(queue_.size(), pieces.size());
    for (std::size_t i = 0; i < count; ++i) {
      const std::string& bytes = *queue_[i];
      const std::size_t skip = i == 0 ? first_written_ : 0;
      pieces[i] = {const_cast<char*>(bytes.data()) + skip, bytes.size() - skip};
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    const ssize_t size = ::sendmsg(stream_.native_handle(), &message, MSG_NOSIGNAL);
    if (size >= 0) {
      pop_written(static_cast<std::size_t>(size));
    } else if (must_wait(errno)) {
      return true;
    } else if (errno != EINTR) {
      end_soon(ending_of(errno));
      return false;
    }
  }
  return true;
}

void Connection::pop_written(std::size_t size) {
  queued_bytes_ -= size;
  size += first_written_;
  while (!queue_.empty() && size >= queue_.front()->size()) {
    size -= queue_.front()->size();
    queue_.pop_front();
  }
  first_written_ = size;
}

void Connection::say_end() {
  ::shutdown(stream_.native_handle(), SHUT_WR);
}

// From inside send(): the owner hears of it from the loop.
void Connection::end_soon(Ending ending) {
  if (ending_) return;
  ending_ = true;
  asio::post(stream_.get_executor(),
             [self = shared_from_this(), ending = std::move(ending)] { self->end(ending); });
}

void Connection::end(const Ending& ending) {
  if (closed_) return;
  const OnEnded on_ended = std::move(on_ended_);
  close();
  if (on_ended) on_ended(ending);
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  // Callbacks may be running: they are not destroyed here, only never called again.
  queue_.clear();
  queued_bytes_ = 0;
  flush_limit_.cancel();
  boost::system::error_code ignored;
  stream_.close(ignored);
}

void Connection::close_after_flush(Duration limit) {
  if (closed_) return;
  on_ended_ = nullptr;
  closing_ = true;
  if (ending_) return close();
  if (queue_.empty()) say_end();
  flush_limit_.expires_after(limit);
  flush_limit_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->close();
  });
}

}  // namespace muster::rendezvous
