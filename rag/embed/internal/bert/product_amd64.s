#include "textflag.h"

// Products of 16-bit activations and 8-bit weights.
//
// A panel holds, for each pair of inputs, 16 columns × 2 weights: 32 bytes,
// widened to 16 bits as they are loaded. Each row broadcasts its pair of
// activations, and one multiply-add sums both products into the 32-bit lane
// of the column. Accumulators stay in registers over all inputs.
//
// Registers, all functions:
//   R8 R11 R12 R13  rows 0, 3, 6, 9     R9, R10  one and three row strides
//   SI, DI          first, second panel  CX       input pairs left / 2
//   AX, DX          output row, stride   BX       scales of the rows

#define ARGUMENTS \
	MOVQ a+16(FP), R8; \
	MOVQ lda+24(FP), R9; \
	SHLQ $1, R9; \
	LEAQ (R9)(R9*2), R10; \
	LEAQ (R8)(R10*1), R11; \
	LEAQ (R11)(R10*1), R12; \
	LEAQ (R12)(R10*1), R13; \
	MOVQ w+40(FP), SI; \
	MOVQ pairs+48(FP), CX; \
	MOVQ CX, DI; \
	SHLQ $5, DI; \
	ADDQ SI, DI; \
	SHRQ $1, CX; \
	MOVQ out+0(FP), AX; \
	MOVQ ldo+8(FP), DX; \
	SHLQ $2, DX; \
	MOVQ scales+32(FP), BX

// ZERO clears the accumulators of four rows.
#define ZERO(a, b, c, d, e, f, g, h) \
	VPXORQ a, a, a; VPXORQ b, b, b; VPXORQ c, c, c; VPXORQ d, d, d; \
	VPXORQ e, e, e; VPXORQ f, f, f; VPXORQ g, g, g; VPXORQ h, h, h

// LOAD widens 16 columns of both panels.
#define LOAD(at) \
	VPMOVSXBW at(SI), Z24; \
	VPMOVSXBW at(DI), Z25

// ROW adds the products of one row.
#define ROW(pair, tmp, left, right) \
	VPBROADCASTD pair, tmp; \
	VPDPWSSD Z24, tmp, left; \
	VPDPWSSD Z25, tmp, right

#define ROWS0(at) \
	ROW(at(R8), Z26, Z0, Z1); \
	ROW(at(R8)(R9*1), Z27, Z2, Z3); \
	ROW(at(R8)(R9*2), Z28, Z4, Z5); \
	ROW(at(R11), Z29, Z6, Z7)

#define ROWS4(at) \
	ROW(at(R11)(R9*1), Z26, Z8, Z9); \
	ROW(at(R11)(R9*2), Z27, Z10, Z11); \
	ROW(at(R12), Z28, Z12, Z13); \
	ROW(at(R12)(R9*1), Z29, Z14, Z15)

#define ROWS8(at) \
	ROW(at(R12)(R9*2), Z26, Z16, Z17); \
	ROW(at(R13), Z27, Z18, Z19); \
	ROW(at(R13)(R9*1), Z28, Z20, Z21); \
	ROW(at(R13)(R9*2), Z29, Z22, Z23)

// ADVANCE moves on by two pairs.
#define ADVANCE \
	ADDQ $8, R8; \
	ADDQ $8, R11; \
	ADDQ $8, R12; \
	ADDQ $8, R13; \
	ADDQ $64, SI; \
	ADDQ $64, DI; \
	DECQ CX

// COLUMNS loads the weights' scales to Z24, Z25 and the bias to Z30, Z31.
#define COLUMNS \
	MOVQ wscales+56(FP), SI; \
	MOVQ bias+64(FP), DI; \
	VMOVUPS (SI), Z24; \
	VMOVUPS 64(SI), Z25; \
	VMOVUPS (DI), Z30; \
	VMOVUPS 64(DI), Z31

// STORE writes one row: sum × (row scale × column scale) + bias.
#define STORE(at, left, right) \
	VBROADCASTSS at(BX), Z26; \
	VMULPS Z24, Z26, Z27; \
	VMULPS Z25, Z26, Z28; \
	VCVTDQ2PS left, left; \
	VCVTDQ2PS right, right; \
	VFMADD213PS Z30, Z27, left; \
	VFMADD213PS Z31, Z28, right; \
	VMOVUPS left, (AX); \
	VMOVUPS right, 64(AX); \
	ADDQ DX, AX

#define STORE0 \
	STORE(0, Z0, Z1); STORE(4, Z2, Z3); STORE(8, Z4, Z5); STORE(12, Z6, Z7)

#define STORE4 \
	STORE(16, Z8, Z9); STORE(20, Z10, Z11); STORE(24, Z12, Z13); STORE(28, Z14, Z15)

#define STORE8 \
	STORE(32, Z16, Z17); STORE(36, Z18, Z19); STORE(40, Z20, Z21); STORE(44, Z22, Z23)

// func dot12VNNI(out *float32, ldo int, a *int16, lda int, scales *float32, w *int8, pairs int, wscales, bias *float32)
TEXT ·dot12VNNI(SB), NOSPLIT, $0-72
	ARGUMENTS
	ZERO(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)
	ZERO(Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15)
	ZERO(Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23)

loop12:
	LOAD(0)
	ROWS0(0)
	ROWS4(0)
	ROWS8(0)
	LOAD(32)
	ROWS0(4)
	ROWS4(4)
	ROWS8(4)
	ADVANCE
	JNZ loop12

	COLUMNS
	STORE0
	STORE4
	STORE8
	VZEROUPPER
	RET

// func dot8VNNI(out *float32, ldo int, a *int16, lda int, scales *float32, w *int8, pairs int, wscales, bias *float32)
TEXT ·dot8VNNI(SB), NOSPLIT, $0-72
	ARGUMENTS
	ZERO(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)
	ZERO(Z8, Z9, Z10, Z11, Z12, Z13, Z14, Z15)

loop8:
	LOAD(0)
	ROWS0(0)
	ROWS4(0)
	LOAD(32)
	ROWS0(4)
	ROWS4(4)
	ADVANCE
	JNZ loop8

	COLUMNS
	STORE0
	STORE4
	VZEROUPPER
	RET

// func dot4VNNI(out *float32, ldo int, a *int16, lda int, scales *float32, w *int8, pairs int, wscales, bias *float32)
TEXT ·dot4VNNI(SB), NOSPLIT, $0-72
	ARGUMENTS
	ZERO(Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7)

loop4:
	LOAD(0)
	ROWS0(0)
	LOAD(32)
	ROWS0(4)
	ADVANCE
	JNZ loop4

	COLUMNS
	STORE0
	VZEROUPPER
	RET

// NARROW adds the products of one row and one panel in halves of 8 columns.
#define NARROW(pair, left, right) \
	VPBROADCASTD pair, Y10; \
	VPMADDWD Y8, Y10, Y11; \
	VPADDD Y11, left, left; \
	VPMADDWD Y9, Y10, Y12; \
	VPADDD Y12, right, right

#define NARROWS(at, wat) \
	VPMOVSXBW wat(SI), Y8; \
	VPMOVSXBW (wat+16)(SI), Y9; \
	NARROW(at(R8), Y0, Y1); \
	NARROW(at(R8)(R9*1), Y2, Y3); \
	NARROW(at(R8)(R9*2), Y4, Y5); \
	NARROW(at(R11), Y6, Y7)

// STORENARROW writes one row of 16 columns.
#define STORENARROW(at, left, right) \
	VBROADCASTSS at(BX), Y10; \
	VMULPS Y8, Y10, Y11; \
	VMULPS Y9, Y10, Y12; \
	VCVTDQ2PS left, left; \
	VCVTDQ2PS right, right; \
	VFMADD213PS Y13, Y11, left; \
	VFMADD213PS Y14, Y12, right; \
	VMOVUPS left, (AX); \
	VMOVUPS right, 32(AX); \
	ADDQ DX, AX

// func dot4AVX2(out *float32, ldo int, a *int16, lda int, scales *float32, w *int8, pairs int, wscales, bias *float32)
TEXT ·dot4AVX2(SB), NOSPLIT, $0-72
	ARGUMENTS
	VPXOR Y0, Y0, Y0
	VPXOR Y1, Y1, Y1
	VPXOR Y2, Y2, Y2
	VPXOR Y3, Y3, Y3
	VPXOR Y4, Y4, Y4
	VPXOR Y5, Y5, Y5
	VPXOR Y6, Y6, Y6
	VPXOR Y7, Y7, Y7

loop4narrow:
	NARROWS(0, 0)
	NARROWS(4, 32)
	ADVANCE
	JNZ loop4narrow

	MOVQ wscales+56(FP), SI
	MOVQ bias+64(FP), DI
	VMOVUPS (SI), Y8
	VMOVUPS 32(SI), Y9
	VMOVUPS (DI), Y13
	VMOVUPS 32(DI), Y14
	STORENARROW(0, Y0, Y1)
	STORENARROW(4, Y2, Y3)
	STORENARROW(8, Y4, Y5)
	STORENARROW(12, Y6, Y7)
	VZEROUPPER
	RET
