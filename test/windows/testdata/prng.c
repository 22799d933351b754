/* Stands for bcryptprimitives.dll, which Windows has and older Wine lacks: every Go program asks it for random bytes at its start. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE p, SIZE_T n) { return RtlGenRandom(p, (ULONG)n); }
