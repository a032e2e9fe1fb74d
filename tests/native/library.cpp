// A Manager library with the genuine one's manners on creation and no server to reach: compiled C++ with a compiler's own
// table of functions and calling convention. It writes every call to the file that MT_REMOTE_TEST_TRACE names.
#include <cstdio>
#include <cstdlib>
#include <string>
#include "manager_api.h"
#ifdef _WIN32
#include <winsock2.h>
#define EXPORT extern "C" __declspec(dllexport)
#else
#define EXPORT extern "C" __attribute__((visibility("default")))
#endif

#ifndef FACTORY_CALL  // headers in circulation differ in what they say of the exports on 32 bits
#define FACTORY_CALL MTAPI_CALL
#endif

using namespace mtapi;

static void traced(const char *what) {
  const char *path = std::getenv("MT_REMOTE_TEST_TRACE");
  std::FILE *file = path ? std::fopen(path, "a") : nullptr;
  if (!file) return;
  std::fprintf(file, "%s\n", what);
  std::fclose(file);
}

// The genuine library opens sockets without starting Winsock: that is its program's affair.
static bool winsock_is_started() {
#ifdef _WIN32
  SOCKET opened = socket(AF_INET, SOCK_STREAM, 0);
  if (opened == INVALID_SOCKET) return false;
  closesocket(opened);
#endif
  return true;
}

template <typename T>
static T answer(const char *name) {
  traced(name);
  return T();
}

struct Library : ManagerInterface {
#include "slots.h" // every other slot, written from the table
  int MTAPI_CALL Connect(const char *server) override {
    traced((std::string("Connect ") + server).c_str());
    return winsock_is_started() ? RET_NO_CONNECT : RET_ERROR;
  }
  const char *MTAPI_CALL ErrorDescription(const int code) override {
    return code == RET_NO_CONNECT ? "No connection" : "Unknown error";
  }
};

EXPORT int FACTORY_CALL MtManVersion() { return (400 << 16) | LIBRARY_BUILD; }

EXPORT int FACTORY_CALL MtManCreate(int version, ManagerInterface **manager) {
  static Library library;
  char asked[64];
  std::snprintf(asked, sizeof asked, "MtManCreate %d.%d", version >> 16, version & 0xffff);
  traced(asked);
  *manager = version >> 16 == 400 && (version & 0xffff) <= LIBRARY_BUILD ? &library : nullptr;
  return *manager != nullptr;
}
