"""Ways to run the steps of a `abline.nets.training.TrainingJob`; each gives its history."""
