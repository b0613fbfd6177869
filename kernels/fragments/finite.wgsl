// Joined to kernels that look for the largest number, or that must tell numbers from infinity and NaN.
const LOWEST = -0x1.fffffep+127f; // no number is less
