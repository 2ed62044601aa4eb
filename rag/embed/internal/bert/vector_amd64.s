#include "textflag.h"

// Float kernels in AVX2 and FMA. Lengths are multiples of 16 and positive.

// EIGHT defines a constant repeated over a 256-bit register.
#define EIGHT(name, value) \
	DATA name<>+0(SB)/4, value; DATA name<>+4(SB)/4, value; \
	DATA name<>+8(SB)/4, value; DATA name<>+12(SB)/4, value; \
	DATA name<>+16(SB)/4, value; DATA name<>+20(SB)/4, value; \
	DATA name<>+24(SB)/4, value; DATA name<>+28(SB)/4, value; \
	GLOBL name<>(SB), RODATA|NOPTR, $32

EIGHT(absMask, $0x7fffffff)
EIGHT(signMask, $0x80000000)
EIGHT(one, $(1.0))
EIGHT(half, $(0.5))

// SUM and MAX reduce Y0 to the lowest lane of X0, by way of X1.
#define SUM \
	VEXTRACTF128 $1, Y0, X1; VADDPS X1, X0, X0; \
	VPERMILPS $0x4e, X0, X1; VADDPS X1, X0, X0; \
	VPERMILPS $0xb1, X0, X1; VADDPS X1, X0, X0

#define MAX \
	VEXTRACTF128 $1, Y0, X1; VMAXPS X1, X0, X0; \
	VPERMILPS $0x4e, X0, X1; VMAXPS X1, X0, X0; \
	VPERMILPS $0xb1, X0, X1; VMAXPS X1, X0, X0

// MULTIPLYROW adds one element of a row times 16 of b.
#define MULTIPLYROW(element, tmp, left, right) \
	VBROADCASTSS element, tmp; \
	VFMADD231PS Y12, tmp, left; \
	VFMADD231PS Y13, tmp, right

// func multiply6x16(c *float32, ldc int, a *float32, lda int, b *float32, ldb, k int)
TEXT ·multiply6x16(SB), NOSPLIT, $0-56
	MOVQ c+0(FP), AX
	MOVQ ldc+8(FP), DX
	SHLQ $2, DX
	MOVQ a+16(FP), R8
	MOVQ lda+24(FP), R9
	SHLQ $2, R9
	LEAQ (R9)(R9*2), R11
	ADDQ R8, R11
	MOVQ b+32(FP), SI
	MOVQ ldb+40(FP), DI
	SHLQ $2, DI
	MOVQ k+48(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	VXORPS Y8, Y8, Y8
	VXORPS Y9, Y9, Y9
	VXORPS Y10, Y10, Y10
	VXORPS Y11, Y11, Y11

multiplyLoop:
	VMOVUPS (SI), Y12
	VMOVUPS 32(SI), Y13
	MULTIPLYROW((R8), Y14, Y0, Y1)
	MULTIPLYROW((R8)(R9*1), Y15, Y2, Y3)
	MULTIPLYROW((R8)(R9*2), Y14, Y4, Y5)
	MULTIPLYROW((R11), Y15, Y6, Y7)
	MULTIPLYROW((R11)(R9*1), Y14, Y8, Y9)
	MULTIPLYROW((R11)(R9*2), Y15, Y10, Y11)
	ADDQ DI, SI
	ADDQ $4, R8
	ADDQ $4, R11
	DECQ CX
	JNZ multiplyLoop

	VMOVUPS Y0, (AX)
	VMOVUPS Y1, 32(AX)
	ADDQ DX, AX
	VMOVUPS Y2, (AX)
	VMOVUPS Y3, 32(AX)
	ADDQ DX, AX
	VMOVUPS Y4, (AX)
	VMOVUPS Y5, 32(AX)
	ADDQ DX, AX
	VMOVUPS Y6, (AX)
	VMOVUPS Y7, 32(AX)
	ADDQ DX, AX
	VMOVUPS Y8, (AX)
	VMOVUPS Y9, 32(AX)
	ADDQ DX, AX
	VMOVUPS Y10, (AX)
	VMOVUPS Y11, 32(AX)
	VZEROUPPER
	RET

DATA quantMax<>+0(SB)/4, $(8191.0)
GLOBL quantMax<>(SB), RODATA|NOPTR, $4

// tiny stands for the maximum of a row of zeros.
DATA tiny<>+0(SB)/4, $(1e-30)
GLOBL tiny<>(SB), RODATA|NOPTR, $4

// func quantize(dst *int16, src *float32, n int) float32
TEXT ·quantize(SB), NOSPLIT, $0-28
	MOVQ dst+0(FP), DI
	MOVQ src+8(FP), SI
	MOVQ n+16(FP), CX
	MOVQ CX, DX
	MOVQ SI, R8
	VMOVUPS absMask<>(SB), Y4
	VXORPS Y0, Y0, Y0
	VXORPS Y2, Y2, Y2

quantizeMax:
	VANDPS (R8), Y4, Y1
	VANDPS 32(R8), Y4, Y3
	VMAXPS Y1, Y0, Y0
	VMAXPS Y3, Y2, Y2
	ADDQ $64, R8
	SUBQ $16, DX
	JNZ quantizeMax

	VMAXPS Y2, Y0, Y0
	MAX
	VMOVSS quantMax<>(SB), X2
	VDIVSS X2, X0, X3
	VMOVSS X3, ret+24(FP)
	VMAXSS tiny<>(SB), X0, X0
	VDIVSS X0, X2, X2
	VBROADCASTSS X2, Y2

quantizeRound:
	VMULPS (SI), Y2, Y0
	VMULPS 32(SI), Y2, Y1
	VCVTPS2DQ Y0, Y0
	VCVTPS2DQ Y1, Y1
	VPACKSSDW Y1, Y0, Y0
	VPERMQ $0xd8, Y0, Y0
	VMOVDQU Y0, (DI)
	ADDQ $64, SI
	ADDQ $32, DI
	SUBQ $16, CX
	JNZ quantizeRound

	VZEROUPPER
	RET

// exp(x) for x ≤ 0 is 2ⁿ·exp(r), n = round(x/ln 2), |r| ≤ ln 2/2, with the
// Taylor polynomial of degree 6: relative error below 3e-7. Below -87 the
// result is 2⁻¹²⁶.
EIGHT(expLowest, $(-87.0))
EIGHT(log2e, $(1.44269504088896))
EIGHT(ln2High, $(0.693359375))
EIGHT(ln2Low, $(-2.12194440e-4))
EIGHT(exp6, $(0.001388888888888889))
EIGHT(exp5, $(0.008333333333333333))
EIGHT(exp4, $(0.041666666666666664))
EIGHT(exp3, $(0.16666666666666666))
EIGHT(exponentBias, $127)

// func softmax(x *float32, n int, scale float32)
TEXT ·softmax(SB), NOSPLIT, $0-20
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), CX
	MOVQ SI, R8
	MOVQ CX, DX
	VMOVUPS (SI), Y0

softmaxMax:
	VMAXPS (R8), Y0, Y0
	VMAXPS 32(R8), Y0, Y0
	ADDQ $64, R8
	SUBQ $16, DX
	JNZ softmaxMax

	MAX
	VBROADCASTSS X0, Y8
	VBROADCASTSS scale+16(FP), Y9
	VMOVUPS log2e<>(SB), Y10
	VMOVUPS exp4<>(SB), Y11
	VMOVUPS exp3<>(SB), Y12
	VMOVUPS half<>(SB), Y13
	VMOVUPS one<>(SB), Y14
	VXORPS Y0, Y0, Y0
	MOVQ SI, R8
	MOVQ CX, DX

softmaxExp:
	VMOVUPS (R8), Y1
	VSUBPS Y8, Y1, Y1
	VMULPS Y9, Y1, Y1
	VMAXPS expLowest<>(SB), Y1, Y1
	VMULPS Y10, Y1, Y2
	VROUNDPS $0, Y2, Y2
	VFNMADD231PS ln2High<>(SB), Y2, Y1
	VFNMADD231PS ln2Low<>(SB), Y2, Y1
	VMOVUPS exp6<>(SB), Y3
	VFMADD213PS exp5<>(SB), Y1, Y3
	VFMADD213PS Y11, Y1, Y3
	VFMADD213PS Y12, Y1, Y3
	VFMADD213PS Y13, Y1, Y3
	VFMADD213PS Y14, Y1, Y3
	VFMADD213PS Y14, Y1, Y3
	VCVTPS2DQ Y2, Y2
	VPADDD exponentBias<>(SB), Y2, Y2
	VPSLLD $23, Y2, Y2
	VMULPS Y2, Y3, Y3
	VADDPS Y3, Y0, Y0
	VMOVUPS Y3, (R8)
	ADDQ $32, R8
	SUBQ $8, DX
	JNZ softmaxExp

	SUM
	VMOVSS one<>(SB), X1
	VDIVSS X0, X1, X0
	VBROADCASTSS X0, Y0

softmaxDivide:
	VMULPS (SI), Y0, Y1
	VMULPS 32(SI), Y0, Y2
	VMOVUPS Y1, (SI)
	VMOVUPS Y2, 32(SI)
	ADDQ $64, SI
	SUBQ $16, CX
	JNZ softmaxDivide

	VZEROUPPER
	RET

// erf(t) for |t| ≤ 3.95, where it is 1 in float32 beyond, is t·P(t²)/Q(t²);
// P and Q were fitted by reweighted least squares to an error below 6e-7.
EIGHT(sqrtHalf, $(0.70710678118654752))
EIGHT(erfEnd, $(3.95))
EIGHT(erfP5, $(-1.3356054751056945e-06))
EIGHT(erfP4, $(0.00023462585522793233))
EIGHT(erfP3, $(0.009454402141273022))
EIGHT(erfP2, $(0.0704626739025116))
EIGHT(erfP1, $(0.34761667251586914))
EIGHT(erfP0, $(1.128382921218872))
EIGHT(erfQ4, $(0.0021916357800364494))
EIGHT(erfQ3, $(0.02678554877638817))
EIGHT(erfQ2, $(0.17622147500514984))
EIGHT(erfQ1, $(0.641422688961029))

// func gelu(x *float32, n int)
TEXT ·gelu(SB), NOSPLIT, $0-16
	MOVQ x+0(FP), SI
	MOVQ n+8(FP), CX
	VMOVUPS erfP4<>(SB), Y5
	VMOVUPS erfP3<>(SB), Y6
	VMOVUPS erfP2<>(SB), Y7
	VMOVUPS erfP1<>(SB), Y8
	VMOVUPS erfP0<>(SB), Y9
	VMOVUPS erfQ3<>(SB), Y10
	VMOVUPS erfQ2<>(SB), Y11
	VMOVUPS erfQ1<>(SB), Y12
	VMOVUPS one<>(SB), Y13
	VMOVUPS erfEnd<>(SB), Y14
	VXORPS signMask<>(SB), Y14, Y15

geluLoop:
	VMOVUPS (SI), Y0
	VMULPS sqrtHalf<>(SB), Y0, Y1
	VMINPS Y14, Y1, Y1
	VMAXPS Y15, Y1, Y1
	VMULPS Y1, Y1, Y2
	VMOVUPS erfP5<>(SB), Y3
	VMOVUPS erfQ4<>(SB), Y4
	VFMADD213PS Y5, Y2, Y3
	VFMADD213PS Y10, Y2, Y4
	VFMADD213PS Y6, Y2, Y3
	VFMADD213PS Y11, Y2, Y4
	VFMADD213PS Y7, Y2, Y3
	VFMADD213PS Y12, Y2, Y4
	VFMADD213PS Y8, Y2, Y3
	VFMADD213PS Y13, Y2, Y4
	VFMADD213PS Y9, Y2, Y3
	VMULPS Y1, Y3, Y3
	VDIVPS Y4, Y3, Y3
	VMULPS half<>(SB), Y0, Y0
	VFMADD213PS Y0, Y0, Y3
	VMOVUPS Y3, (SI)
	ADDQ $32, SI
	SUBQ $8, CX
	JNZ geluLoop

	VZEROUPPER
	RET

// func addNorm(x, y, gain, bias *float32, n int, epsilon float32)
TEXT ·addNorm(SB), NOSPLIT, $0-44
	MOVQ x+0(FP), DI
	MOVQ y+8(FP), SI
	MOVQ gain+16(FP), R8
	MOVQ bias+24(FP), R9
	MOVQ n+32(FP), CX
	VCVTSI2SSQ CX, X5, X5
	MOVQ DI, R10
	MOVQ CX, DX
	VXORPS Y0, Y0, Y0

normAdd:
	VMOVUPS (R10), Y1
	VADDPS (SI), Y1, Y1
	VMOVUPS Y1, (R10)
	VADDPS Y1, Y0, Y0
	ADDQ $32, R10
	ADDQ $32, SI
	SUBQ $8, DX
	JNZ normAdd

	SUM
	VDIVSS X5, X0, X0
	VBROADCASTSS X0, Y4
	VXORPS Y0, Y0, Y0
	MOVQ DI, R10
	MOVQ CX, DX

normSquare:
	VMOVUPS (R10), Y1
	VSUBPS Y4, Y1, Y1
	VFMADD231PS Y1, Y1, Y0
	ADDQ $32, R10
	SUBQ $8, DX
	JNZ normSquare

	SUM
	VDIVSS X5, X0, X0
	VADDSS epsilon+40(FP), X0, X0
	VSQRTSS X0, X0, X0
	VMOVSS one<>(SB), X1
	VDIVSS X0, X1, X0
	VBROADCASTSS X0, Y5

normScale:
	VMOVUPS (DI), Y1
	VSUBPS Y4, Y1, Y1
	VMULPS Y5, Y1, Y1
	VMOVUPS (R8), Y2
	VFMADD213PS (R9), Y2, Y1
	VMOVUPS Y1, (DI)
	ADDQ $32, DI
	ADDQ $32, R8
	ADDQ $32, R9
	SUBQ $8, CX
	JNZ normScale

	VZEROUPPER
	RET
