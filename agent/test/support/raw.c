/* Machine code for a test: makes any system call, for a process whose JavaScript holds it no longer. Needs no headers of Node.js. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <sys/syscall.h>

typedef void *value;
typedef void *env;
extern int napi_get_cb_info(env, void *, size_t *, value *, value *, void **);
extern int napi_get_value_int64(env, value, int64_t *);
extern int napi_get_buffer_info(env, value, void **, size_t *);
extern int napi_create_int64(env, int64_t, value *);
extern int napi_create_function(env, const char *, size_t, void *, void *, value *);

static value call(env e, void *info) {
  size_t count = 7;
  value given[7], answer;
  long a[7] = {0};
  napi_get_cb_info(e, info, &count, given, NULL, NULL);
  for (size_t i = 0; i < count; i++) {
    int64_t number;
    void *bytes;
    size_t length;
    if (napi_get_value_int64(e, given[i], &number) == 0) a[i] = number;
    else if (napi_get_buffer_info(e, given[i], &bytes, &length) == 0) a[i] = (long)bytes;
  }
  long result = syscall(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
  napi_create_int64(e, result < 0 ? -errno : result, &answer);
  return answer;
}

value napi_register_module_v1(env e, value exports) {
  (void)exports;
  napi_create_function(e, "call", 4, (void *)call, NULL, &exports);
  return exports;
}
