// A native program as many are: it pumps and deals by messages to a window of its own.
//
//   window LIBRARY
#include <windows.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include "manager_api.h"

using namespace mtapi;

const UINT WM_PUMPING = WM_APP + 1, WM_DEALING = WM_APP + 2;

static ManagerInterface *session(MtManCreate_t create) {
  ManagerInterface *manager = nullptr;
  if (!create(VERSION_ARGUMENT, &manager) || manager->Connect("demo:443") || manager->Login(1, "manager")) std::exit(1);
  return manager;
}

// Waits for a message that tells the code.
static void wait_for(UINT message, int code) {
  MSG got;
  while (GetMessageA(&got, nullptr, 0, 0) > 0)
    if (got.message == message && static_cast<int>(got.wParam) == code && got.lParam == 0) return;
  std::exit(2);
}

static void CALLBACK too_late(HWND, UINT, UINT_PTR, DWORD) { std::exit(5); }

int main(int, char **argv) {
  HMODULE library = LoadLibraryA(argv[1]);
  if (!library) return 3;
  auto create = reinterpret_cast<MtManCreate_t>(reinterpret_cast<void *>(GetProcAddress(library, "MtManCreate")));
  HWND window = CreateWindowExA(0, "STATIC", "", 0, 0, 0, 0, 0, HWND_MESSAGE, nullptr, nullptr, nullptr);
  if (!window) return 4;
  SetTimer(window, 1, 60000, too_late);

  ManagerInterface *direct = session(create), *pump = session(create), *dealer = session(create);
  pump->SymbolAdd("EURUSD");
  std::printf("neither: %d\n", pump->PumpingSwitch(nullptr, nullptr, 0, 0));
  std::printf("pumping: %d\n", pump->PumpingSwitch(nullptr, window, WM_PUMPING, 0));
  wait_for(WM_PUMPING, PUMP_START_PUMPING);
  std::printf("tick: %d\n", direct->SymbolSendTick("EURUSD", 1.1, 1.2));
  wait_for(WM_PUMPING, PUMP_UPDATE_BIDASK);
  std::printf("dealing: %d\n", dealer->DealerSwitch(nullptr, window, WM_DEALING));
  wait_for(WM_DEALING, DEAL_START_DEALING);
  dealer->Release();
  pump->Release();
  direct->Release();
  std::printf("done\n");
  return 0;
}
