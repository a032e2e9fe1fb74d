/* The simulator as a Manager library: loads Python, asks it for an interface object, hands out the object's address.
 *
 * The object's table of functions is made by mt4sim.native.vtable; nothing else is native. Python is found at run time
 * (in the process, or by MT4SIM_PYTHON or the path that the build wrote down), so building needs no Python headers.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <windows.h>
#define EXPORT __declspec(dllexport)
#define CALL __stdcall
#define PATH_SEPARATOR ";"
#else
#include <dlfcn.h>
#include <pthread.h>
#define EXPORT __attribute__((visibility("default")))
#define CALL
#define PATH_SEPARATOR ":"
#endif

#include "shim_paths.h" /* written by the build: VERSION_ARGUMENT, PYTHON_LIBRARY, PYTHON_HOME, PYTHON_PATH */

static int (*is_initialized)(void);
static void (*initialize)(int);
static void *(*save_thread)(void);
static int (*ensure)(void);
static void (*release)(int);
static int (*run)(const char *, void *);
static int ready;

static const char *setting(const char *name, const char *built_in) {
  const char *value = getenv(name);
  return value && *value ? value : built_in;
}

#ifdef _WIN32
static HMODULE python;
static void *symbol(const char *name) { return python ? (void *)(uintptr_t)GetProcAddress(python, name) : NULL; }
static void find_python(void) {
  const char *path = setting("MT4SIM_PYTHON", PYTHON_LIBRARY);
  const char *base = strrchr(path, '\\');
  python = GetModuleHandleA(base ? base + 1 : path);
  if (!python) python = LoadLibraryExA(path, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
}
static void set_home(const char *home) { SetEnvironmentVariableA("PYTHONHOME", home); }
#else
static void *python;
static void *symbol(const char *name) { return dlsym(python ? python : RTLD_DEFAULT, name); }
static void find_python(void) {
  if (!dlsym(RTLD_DEFAULT, "Py_IsInitialized")) {
    python = dlopen(setting("MT4SIM_PYTHON", PYTHON_LIBRARY), RTLD_NOW | RTLD_GLOBAL);
    if (!python) fprintf(stderr, "mt4sim: %s\n", dlerror());
  }
}
static void set_home(const char *home) { setenv("PYTHONHOME", home, 0); }
#endif

static void start(void) {
  find_python();
  is_initialized = (int (*)(void))(uintptr_t)symbol("Py_IsInitialized");
  initialize = (void (*)(int))(uintptr_t)symbol("Py_InitializeEx");
  save_thread = (void *(*)(void))(uintptr_t)symbol("PyEval_SaveThread");
  ensure = (int (*)(void))(uintptr_t)symbol("PyGILState_Ensure");
  release = (void (*)(int))(uintptr_t)symbol("PyGILState_Release");
  run = (int (*)(const char *, void *))(uintptr_t)symbol("PyRun_SimpleStringFlags");
  if (!is_initialized || !initialize || !save_thread || !ensure || !release || !run) {
    fprintf(stderr, "mt4sim: no Python at %s; set MT4SIM_PYTHON to its library\n", setting("MT4SIM_PYTHON", PYTHON_LIBRARY));
    return;
  }
  if (!is_initialized()) {
    const char *home = setting("MT4SIM_PYTHONHOME", PYTHON_HOME);
    if (*home) set_home(home);
    initialize(0);
    save_thread(); /* every call takes the lock for itself */
  }
  ready = 1;
}

#ifdef _WIN32
static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static BOOL CALLBACK start_once(PINIT_ONCE o, PVOID p, PVOID *c) {
  (void)o, (void)p, (void)c;
  start();
  return TRUE;
}
static void ensure_started(void) { InitOnceExecuteOnce(&once, start_once, NULL, NULL); }
#else
static pthread_once_t once = PTHREAD_ONCE_INIT;
static void ensure_started(void) { pthread_once(&once, start); }
#endif

EXPORT int CALL MtManVersion(void) { return VERSION_ARGUMENT; }

/* TRUE and an object, or FALSE and NULL. */
EXPORT int CALL MtManCreate(int version, void **manager) {
  static const char code[] =
      "import sys as _sys\n"
      "_sys.path[:0] = [p for p in r'''%s'''.split('" PATH_SEPARATOR "') if p and p not in _sys.path]\n"
      "from mt4sim.native.embedded import create as _create\n"
      "_create(%d, %llu)\n";
  void *made = NULL;
  const char *path = setting("MT4SIM_PATH", PYTHON_PATH);
  size_t room = sizeof code + strlen(path) + 64;
  char *text;
  if (manager == NULL) return 0;
  *manager = NULL;
  ensure_started();
  if (!ready || !(text = malloc(room))) return 0;
  snprintf(text, room, code, path, version, (unsigned long long)(uintptr_t)&made);
  int state = ensure();
  int failed = run(text, NULL);
  release(state);
  free(text);
  *manager = failed ? NULL : made;
  return *manager != NULL;
}
