// Owns the C contender of adam-32m: Adam (Kingma and Ba 2015, algorithm 1) as one fused pass over the parameters.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define COUNT (32L * 1024 * 1024)
#define MOST_REPETITIONS 10000

static const double warm_up_seconds = 1, enough_seconds = 3, longest_seconds = 20;
static const int enough_repetitions = 5;

static float *parameters, *gradients, *mean, *variance;

static void step(int t)
{
    const float beta1 = 0.9f, beta2 = 0.999f, epsilon = 1e-8f;
    const float rate = (float)(1e-3 / (1 - pow(0.9, t)));  // learning rate / (1 - beta1^t)
    const float scale = (float)(1 / sqrt(1 - pow(0.999, t)));  // 1 / sqrt(1 - beta2^t)
    float *restrict w = parameters, *restrict m = mean, *restrict v = variance;
    const float *restrict g = gradients;

#pragma omp parallel for simd
    for (long i = 0; i < COUNT; i++) {
        m[i] = beta1 * m[i] + (1 - beta1) * g[i];
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
        w[i] -= rate * m[i] / (sqrtf(v[i]) * scale + epsilon);
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

static double timed_step(int t)
{
    double start = now();
    step(t);
    return now() - start;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// An array of small numbers, first touched by the threads that will use it.
static float *array(float amplitude)
{
    float *values = malloc(COUNT * sizeof(float));
    if (values == NULL) {
        fprintf(stderr, "adam.c could not allocate an array of 32 Mi numbers.\n");
        exit(1);
    }
#pragma omp parallel for
    for (long i = 0; i < COUNT; i++) {
        unsigned bits = (unsigned)i * 2654435769u;  // Knuth's multiplicative hash spreads the index
        values[i] = amplitude * (bits >> 8) / (1 << 24);
    }
    return values;
}

int main(int count, char **arguments)
{
    const char *work = count > 1 ? arguments[1] : "";
    if (strcmp(work, "adam-32m") != 0) {
        printf("{\"contender\": \"c\", \"work\": \"%s\", \"skipped\": \"adam.c has no program for this work.\"}\n", work);
        return 0;
    }
    parameters = array(1);
    gradients = array(1);
    mean = array(0);
    variance = array(0);

    static double times[MOST_REPETITIONS];
    int t = 0, repetitions = 0;
    for (double spent = 0; spent < warm_up_seconds;) spent += timed_step(++t);
    for (double spent = 0; spent < longest_seconds && repetitions < MOST_REPETITIONS
                           && (spent < enough_seconds || repetitions < enough_repetitions);) {
        times[repetitions] = timed_step(++t);
        spent += times[repetitions++];
    }
    qsort(times, repetitions, sizeof(double), ascending);
    int middle = repetitions / 2;
    double median = repetitions % 2 ? times[middle] : (times[middle - 1] + times[middle]) / 2;

    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);  // Linux counts the peak of the resident set in KiB.
    // Printing one parameter keeps the compiler from dropping the updates as unused.
    printf("{\"contender\": \"c\", \"work\": \"%s\", \"milliseconds\": %.6f, \"repetitions\": %d, "
           "\"peakBytes\": %ld, \"version\": \"gcc %s\", \"note\": \"One fused pass; a parameter ended at %g.\"}\n",
           work, median * 1e3, repetitions, usage.ru_maxrss * 1024L, __VERSION__, parameters[COUNT / 2]);
    return 0;
}
