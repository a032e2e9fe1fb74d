// A native program as a broker has them: it loads a Manager library, logs in, lists users, opens and closes an order and
// pumps ticks. It knows the interface by the generated header alone, and not whose library it loaded.
//
//   client LIBRARY SERVER LOGIN PASSWORD [TICKS]
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include "manager_api.h"
#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

using namespace mtapi;

static MtManVersion_t version;
static MtManCreate_t create;

#ifdef _WIN32
static bool load(const char *path) {
  HMODULE library = LoadLibraryA(path);
  if (!library) return false;
  version = reinterpret_cast<MtManVersion_t>(reinterpret_cast<void *>(GetProcAddress(library, "MtManVersion")));
  create = reinterpret_cast<MtManCreate_t>(reinterpret_cast<void *>(GetProcAddress(library, "MtManCreate")));
  return version && create;
}
#else
static bool load(const char *path) {
  void *library = dlopen(path, RTLD_NOW);
  if (!library) {
    std::fprintf(stderr, "%s\n", dlerror());
    return false;
  }
  version = reinterpret_cast<MtManVersion_t>(dlsym(library, "MtManVersion"));
  create = reinterpret_cast<MtManCreate_t>(dlsym(library, "MtManCreate"));
  return version && create;
}
#endif

static std::mutex mutex;
static std::condition_variable changed;
static int notices[32];

static void MTAPI_CALL on_pump(int code, int type, void *data, void *param) {
  std::lock_guard<std::mutex> lock(mutex);
  if (code >= 0 && code < 32) notices[code]++;
  if (code == PUMP_UPDATE_TRADES && data)
    std::printf("pumped trade %d type %d\n", static_cast<TradeRecord *>(data)->order, type);
  if (param != &notices) std::abort();
  changed.notify_all();
}

static bool wait_for(int code, int count) {
  std::unique_lock<std::mutex> lock(mutex);
  return changed.wait_for(lock, std::chrono::seconds(20), [=] { return notices[code] >= count; });
}

static void need(int code, const char *what) {
  if (code == RET_OK) return;
  std::printf("%s failed: %d\n", what, code);
  std::exit(1);
}

static ManagerInterface *session(const char *server, int login, const char *password) {
  ManagerInterface *manager = nullptr;
  if (!create(VERSION_ARGUMENT, &manager) || !manager) {
    std::printf("no interface\n");
    std::exit(1);
  }
  need(manager->Connect(server), "Connect");
  int code = manager->Login(login, password);
  if (code != RET_OK) {
    std::printf("login: %s (%d)\n", manager->ErrorDescription(code), code);
    std::exit(3);
  }
  return manager;
}

static int new_user(ManagerInterface *manager) {
  UserRecord user = {};
  std::strcpy(user.group, "miniforex");
  std::strcpy(user.name, "Native Program");
  std::strcpy(user.password, "Pass12");
  user.enable = 1;
  user.leverage = 100;
  need(manager->UserRecordNew(&user), "UserRecordNew");
  TradeTransInfo deposit = {};
  deposit.type = TT_BR_BALANCE;
  deposit.cmd = OP_BALANCE;
  deposit.orderby = user.login;
  deposit.price = 10000.0;
  need(manager->TradeTransaction(&deposit), "deposit");
  return user.login;
}

static void trade(ManagerInterface *manager, int login) {
  TradeTransInfo open = {};
  open.type = TT_BR_ORDER_OPEN;
  open.cmd = OP_BUY;
  open.orderby = login;
  open.volume = 10;
  open.price = 1.1;
  std::strcpy(open.symbol, "EURUSD");
  std::strcpy(open.comment, "native");
  need(manager->TradeTransaction(&open), "open");
  int total = 1;
  TradeRecord *found = manager->TradeRecordsRequest(&open.order, &total);
  if (!found || total != 1 || std::strcmp(found->comment, "native") || found->volume != 10) std::abort();
  std::printf("opened at %.5f\n", found->open_price);
  manager->MemFree(found);
  TradeTransInfo close = {};
  close.type = TT_BR_ORDER_CLOSE;
  close.order = open.order;
  close.volume = 10;
  close.price = 1.2;
  need(manager->TradeTransaction(&close), "close");
  found = manager->TradesUserHistory(login, 0, 0x7fffffff, &total);
  std::printf("history %d profit %.2f\n", total, found ? found[total - 1].profit : -1.0);
  manager->MemFree(found);
}

int main(int argc, char **argv) {
  if (argc < 5 || !load(argv[1])) {
    std::printf("no library\n");
    return 2;
  }
  std::printf("version %d build %d\n", version() >> 16, version() & 0xffff);
  int ticks = argc > 5 ? std::atoi(argv[5]) : 100;
  ManagerInterface *manager = session(argv[2], std::atoi(argv[3]), argv[4]);
  int login = new_user(manager);
  int total = 0;
  UserRecord *users = manager->UsersRequest(&total);
  bool listed = false;
  for (int i = 0; i < total; i++) listed = listed || users[i].login == login;
  manager->MemFree(users);
  std::printf("users listed: %s\n", listed ? "yes" : "no");

  ManagerInterface *pump = session(argv[2], std::atoi(argv[3]), argv[4]);
  need(pump->SymbolsRefresh(), "SymbolsRefresh");
  need(pump->SymbolAdd("EURUSD"), "SymbolAdd");
  need(pump->PumpingSwitchEx(on_pump, 0, &notices), "PumpingSwitchEx");
  if (!wait_for(PUMP_START_PUMPING, 1)) return 4;
  users = pump->UsersRequest(&total);  // refused while pumping
  std::printf("request while pumping: %s\n", users ? "answered" : "refused");
  trade(manager, login);
  for (int i = 0; i < ticks; i++) need(manager->SymbolSendTick("EURUSD", 1.1 + 0.00001 * i, 1.2), "SymbolSendTick");
  if (!wait_for(PUMP_UPDATE_BIDASK, ticks)) return 5;
  SymbolInfo info = {};
  int got = pump->SymbolInfoUpdated(&info, 1);
  std::printf("ticks %d, updated %d %s %.5f\n", ticks, got, info.symbol, info.bid);
  pump->Disconnect();
  pump->Release();
  manager->Disconnect();
  manager->Release();
  std::printf("done\n");
  return 0;
}
