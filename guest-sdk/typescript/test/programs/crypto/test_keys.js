// Private keys that everybody knows, as JWKs.

/** Made for these programs. */
export const RSA = {
  kty: "RSA",
  n: "pgR9bw6ScEPaEGxeTj9GmO_HQ398zj82wNh9vWYmm3LduqoLbUtlARRt5u9psnvf6yMYA3OGjcdD0gDnGrK-_wVot7bCyRpk7mPwgC5EZXILrbKJIEs6dYY7HmSMJwbmBx7_nXfr9p2BwwTdbuv0dFNysQ6XnJUZEpskZz1XadEG9e8l9I7LZrO6q7tzkzAdjdqLoTAhqoagyRrO-520PjIaWI056YfAY2aD2NafwbQjtW2YVeZ7L7T4wBW75e_5okDUrEzNz9YAFlIx0igneRAKV3eJr82FkStsEUWiwu5Va2Im8HZjhLABPiWBX1hlFCGmTPqfqOEPO3dkHRRTlQ",
  e: "AQAB",
  d: "EM15iIj4B0bGxkzBirfaxFXYXBuGHTXGq-P9bfLty2PnzyGwwGIWGfLgYLQwhXEGK71Ei-zgXG8jjRisS0Z2EEeS3q0vr7ztJDeXOtHz-DR_vBfKyyryAr0QNLZGfRi0pVnc0yo1BqPQY1WVt8lH15IulH7-l0l73Sc4mv5ZX4svd1GfcbCfMjXh_bRLfSZfxaXlgLQE2ZVFxRmY1M4PYKssDoRaLETcWUOJ0T7d__SY895-tRRSySfLwe7RAfONfeCHPOifTaBsOLIOTeQi79HO4WHnWx7OHm2gpQ6-djU6hOReJsEFQViR0I6ObfzT4LvD-5_3ZIc7LETdyI2VTQ",
  p: "4pe1u1nYIhzaB08qkyQhy9M8Ko1UKaTY4wPhEwyaApaFntFeFf4Kq942OZMa5Dw-7ewCQ7xjqRsYZZNzUfahIPcMS7Z13ef3fQ195DDpw8ZEBSOfqmx70TQJnCo-kTc_ItQpkKbEK56uuecCTI1zQi97xG579JrWKccA94_WTI8",
  q: "u5A9Zp3z9FLNJkZJHw5hiGrHUpTSwwv3BPawpc2iT92vdwZC6bHdd2VGZuEqzJZM_21aZ1Wo9SURtrsQ6c8FYhaw9eWYtsaShju5rDpfDCDXQ1U8deXf6uOvBy640Q4viUUsMkilwHi_5IhU6sYdGqaZ4-ZK_SpsoVDMpJ0q95s",
  dp: "g7WHbwVEOl_m48TCjJC-DEoWeO15dFNbtmk01OvIQaTYun4cYFAwR8J8Zm75fJ0APy-mCVVh4JPdVH2m1Ie1FQJE5WWDkZ8aHlhPSuqblq6SLyKL1nYEapAC3gE4KRSh4E7OckRdVrV__pMmpPS7gEc1e_J0nrO5tML17vBuskU",
  dq: "nOIkCY46vHT5tXb6uGhN-k3eFNv4gj6iylsRHE4o4oa5umPZWiF07eYfAfR62Q8qrkeoY2CJ5yqva1mC5x5LEWWLdNIrb04exvpz7nQQhlN92osT_EVfitgQ0YAqBGrKJhZexlxvj9MwJpZF-O3m8CDD_ZTlymZO4It18Iappts",
  qi: "L9ZqfJcVPvP9fIpWSlor19zTEzUwnLcfohqCH81K4hnmWr87jQ4nhMDBMDLXWbhG9UrrlEL1PBIP5xayjQhE-_IKQEz-BrsXu3gP_3R7-Zo1uKkAGlHBbdvjF4ux50BIBVUWu_Z-VYvJcarfyY3rmOaK5Pb1J27gRB_vko2a8nw",
};

/** RFC 6979, A.2.5. */
export const P256 = {
  kty: "EC",
  crv: "P-256",
  x: "YP7UuiVanTHJYet0xjVtaMBJuJI7Yfps5mliLmDyn7Y",
  y: "eQP-EAi4vJmkGunpVii8ZPLxsgwtfp9Rd6PClNRGIpk",
  d: "ya-p2EW6dRZrXCFXZ7HWk05Qw9s26JsSe4piKxIPZyE",
};

/** RFC 6979, A.2.6. */
export const P384 = {
  kty: "EC",
  crv: "P-384",
  x: "7DpOQVtOGaRWhhgCn0J_pdqai8SukuAuBqrlKGswDGTe-PDqkFWGYGSiVFFUgLwT",
  y: "gBXZty19VyROqO-awMYhiWcIpZNn-d-59UyoSz8cnbEoiyMcOuDU_nNE_SUzJkcg",
  d: "a509rS4bjBwFsZh1tmWfTeI8O2Z78pe6mqR3QHhxN9iW1XJOTHCoJfhyyepg0u31",
};

/** Made for these programs. */
export const P521 = {
  kty: "EC",
  crv: "P-521",
  x: "AcgNWHHs63yDuSGDTEyosUiVpqbAi9RbReeOocsWtz7o2VxjTI0xVsCBfZRL6-j-BwBmFyqXUDzCjI0NDi1HoBKi",
  y: "AYCnFhYrZ2YFZkcskrI9NBTVNwyHL-klMpVXKgT9PkQEFfQWhrtyD5Ou-KPbS4OkXRUo5nqfWy8SPGiDOvfyB9bh",
  d: "AJ-kGxxM5gNaUCw4ifEl6LVnf2uR5k1TbZqNSJL06cyV-Z6RGGuqRLPb-3c3j_0UsewkqlKaJwADghzkepPWWQ5A",
};

/** RFC 8032, 7.1, test 1. */
export const ED25519 = {
  kty: "OKP",
  crv: "Ed25519",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
};

/** RFC 7748, 6.1: Alice. */
export const X25519 = {
  kty: "OKP",
  crv: "X25519",
  x: "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo",
  d: "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo",
};

/** RFC 7748, 6.1: Bob. */
export const X25519_OTHER = {
  kty: "OKP",
  crv: "X25519",
  x: "3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08",
  d: "XasIfmJKikt54X-Lg4AO5m87sSkmGLb9HC-LJ_-I4Os",
};
