//! `Trained`: a trained network of a run folder.

use crate::doctor::{self, Asked};
use crate::threads::team;
use crate::{errors, recurrent, serial};
use elman::io::Model;
use elman::train::data::Frame;
use elman::train::data::sequences::Sequences;
use elman::train::task::{Answer, ForecastStepper, LabelModel, Sampling, Search};
use elman::train::{Config, Error, Trained as Loaded, Use};
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// A trained network with what is needed to use it.
#[pyclass(frozen, module = "elman._elman")]
pub struct Trained {
    loaded: Loaded,
    /// The run folder; none where it came from bytes or from a model file alone.
    run: Option<PathBuf>,
    /// Made at the first step.
    stepper: Mutex<Option<ForecastStepper>>,
}

#[pymethods]
impl Trained {
    /// From a run folder, or a model file of one.
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Trained> {
        let loaded = py
            .detach(|| Loaded::load(&path))
            .map_err(errors::training)?;
        Ok(Trained {
            loaded,
            run: Some(path),
            stepper: Mutex::new(None),
        })
    }
    /// From the bytes of a model file.
    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8]) -> PyResult<Trained> {
        let loaded = py.detach(|| from_bytes(bytes)).map_err(errors::training)?;
        Ok(Trained {
            loaded,
            run: None,
            stepper: Mutex::new(None),
        })
    }
    /// The effective configuration.
    fn config<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serial::object(py, &self.loaded.config)
    }
    /// Names of the columns that a forecaster reads, the target first; none for other models.
    fn columns(&self) -> Vec<String> {
        match &self.loaded.used {
            Use::Forecast(model) => model.columns().to_vec(),
            _ => Vec::new(),
        }
    }
    /// Names of the classes; none for models that name none.
    fn classes(&self) -> Vec<String> {
        match &self.loaded.used {
            Use::Labels(model) => model.classes().to_vec(),
            _ => Vec::new(),
        }
    }
    /// What it says about sequences `[T, channels]`, or about those of a file: for each a vector `[T or 1, classes]` of
    /// probabilities, or `[T or 1, 1]` of numbers; and whether every step has its answer.
    #[allow(clippy::type_complexity)] // a tuple that Python takes apart
    fn answers<'py>(
        &self,
        py: Python<'py>,
        sequences: Option<Vec<PyReadonlyArray2<'py, f64>>>,
        file: Option<String>,
    ) -> PyResult<(Vec<Bound<'py, PyAny>>, bool)> {
        let Use::Labels(model) = &self.loaded.used else {
            return Err(PyValueError::new_err(format!(
                "this model was trained for the task {}, which has no answers about sequences",
                self.loaded.config.task
            )));
        };
        let answers = match (sequences, file) {
            (None, Some(file)) => py
                .detach(|| Ok(self.loaded.answers(&file, &team())?.1))
                .map_err(errors::training)?,
            (given, _) => {
                let all = sequences_of(&given.unwrap_or_default(), model)?;
                let which: Vec<usize> = (0..all.len()).collect();
                py.detach(|| model.answers(&all, &which, &team()))
                    .map_err(errors::training)?
            }
        };
        let width = model.classes().len().max(1);
        let arrays = answers.into_iter().map(|answer| {
            let numbers: Vec<f64> = match answer {
                Answer::Classes(p) => p.into_iter().map(f64::from).collect(),
                Answer::Numbers(y) => y,
            };
            let shape = [numbers.len() / width, width];
            recurrent::array(py, numbers, &shape)
        });
        Ok((
            arrays.collect::<PyResult<_>>()?,
            model.question().every_step(),
        ))
    }
    /// What it says for each of some texts: the text, and its probability.
    fn say(
        &self,
        py: Python<'_>,
        texts: Vec<String>,
        beam: Option<usize>,
    ) -> PyResult<Vec<(String, f64)>> {
        let Use::Pairs(model) = &self.loaded.used else {
            return Err(PyValueError::new_err(format!(
                "this model was trained for the task {}, which has nothing to say for texts",
                self.loaded.config.task
            )));
        };
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let own = model.search();
        let how = Search {
            beam: beam.unwrap_or(own.beam).max(1),
            ..own
        };
        let said = py
            .detach(|| model.say(&texts, how, &team()))
            .map_err(errors::training)?;
        Ok(said.into_iter().map(|s| (s.text, s.probability)).collect())
    }
    /// Every parameter's array, by its name.
    fn state_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (dict, params) = (PyDict::new(py), &self.loaded.params);
        for view in params.layout().views() {
            let numbers = params.data()[view.range()].to_vec();
            dict.set_item(&view.name, recurrent::array(py, numbers, &view.shape)?)?;
        }
        Ok(dict)
    }
    /// The target's next `steps` values after the end of an array `[T, columns]`, a file, or the data trained on.
    fn ahead<'py>(
        &self,
        py: Python<'py>,
        rows: Option<PyReadonlyArray2<'py, f64>>,
        file: Option<String>,
        steps: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let frame = self.frame(rows, file)?;
        let values = py
            .detach(|| self.loaded.forecaster()?.ahead(&frame, steps))
            .map_err(errors::training)?;
        recurrent::array(py, values, &[steps])
    }
    /// The target as forecast one step before, NaN for the first row, which nothing comes before `[T]`.
    fn one_step<'py>(
        &self,
        py: Python<'py>,
        rows: Option<PyReadonlyArray2<'py, f64>>,
        file: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let frame = self.frame(rows, file)?;
        let all = 0..frame.rows();
        let parts = py
            .detach(|| {
                let model = self.loaded.forecaster()?;
                model.one_step(&frame, std::slice::from_ref(&all), &team())
            })
            .map_err(errors::training)?;
        let mut values = vec![f64::NAN; all.len()];
        for part in parts {
            values[part.rows].copy_from_slice(&part.forecast);
        }
        recurrent::array(py, values, &[all.len()])
    }
    /// One row of a forecaster's columns `[columns]` to the next as forecast, both without gaps.
    fn step(
        &self,
        row: &Bound<'_, PyArray1<f64>>,
        next: &Bound<'_, PyArray1<f64>>,
    ) -> PyResult<()> {
        let (row, mut next) = (row.try_readonly()?, next.try_readwrite()?);
        let mut stepper = self.stepper.lock().unwrap_or_else(PoisonError::into_inner);
        if stepper.is_none() {
            let made = self.loaded.forecaster().and_then(|m| m.stepper());
            *stepper = Some(made.map_err(errors::training)?);
        }
        match stepper.as_mut() {
            Some(stepper) => stepper
                .step(row.as_slice()?, next.as_slice_mut()?)
                .map_err(errors::training),
            None => Ok(()),
        }
    }
    /// The next step is the first again.
    fn reset(&self) {
        *self.stepper.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
    /// The microscope's verdict and figures, on the data it was trained on.
    fn doctor<'py>(&self, py: Python<'py>, asked: &str) -> PyResult<Bound<'py, PyAny>> {
        let asked = Asked::read(asked)?;
        doctor::examine_trained(py, &self.loaded, self.run.as_deref(), &asked)
    }
    /// Text that goes on after `prompt`.
    fn generate(
        &self,
        py: Python<'_>,
        prompt: &str,
        length: usize,
        temperature: f64,
        top_k: usize,
        seed: u64,
    ) -> PyResult<String> {
        let sampling = Sampling {
            length,
            temperature,
            top_k,
            seed,
        };
        let mut text = String::new();
        py.detach(|| {
            let writer = self.loaded.writer()?;
            writer.generate(prompt, sampling, |c| text.push(c))
        })
        .map_err(errors::training)?;
        Ok(text)
    }
    /// Scores, on the parts of the data trained on, or on another file.
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        file: Option<String>,
        labels: Option<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let evaluation = py
            .detach(|| match file {
                None => self.loaded.evaluate(&team()),
                Some(file) => self.loaded.evaluate_file(&file, labels.as_deref(), &team()),
            })
            .map_err(errors::training)?;
        serial::object(py, &evaluation)
    }
}

impl Trained {
    fn frame(
        &self,
        rows: Option<PyReadonlyArray2<'_, f64>>,
        file: Option<String>,
    ) -> PyResult<Frame> {
        match rows {
            None => self.loaded.frame(file.as_deref()).map_err(errors::training),
            Some(rows) => self.frame_of(&rows),
        }
    }
    /// An array `[T, columns]` as the file it could have been.
    fn frame_of(&self, rows: &PyReadonlyArray2<'_, f64>) -> PyResult<Frame> {
        let names = self
            .loaded
            .forecaster()
            .map_err(errors::training)?
            .columns();
        let rows = rows.as_array();
        let (steps, width) = rows.dim();
        if width != names.len() || steps == 0 {
            return Err(PyValueError::new_err(format!(
                "the rows have the shape ({steps}, {width}), and the model reads at least one row of {} columns: {}",
                names.len(),
                names.join(", ")
            )));
        }
        if let Some(((row, column), value)) = rows.indexed_iter().find(|(_, x)| !x.is_finite()) {
            return Err(PyValueError::new_err(format!(
                "row {row} of column {:?} is {value}",
                names[column]
            )));
        }
        Ok(Frame {
            file: "the array".into(),
            names: names.to_vec(),
            columns: rows
                .columns()
                .into_iter()
                .map(|c| c.to_vec().into())
                .collect(),
            labels: (0..steps).map(|t| t.to_string()).collect(),
            line_of_row: (1..=steps as u64).collect(),
            repaired: 0,
        })
    }
}

/// As [`Loaded::load`] does with a file.
fn from_bytes(bytes: &[u8]) -> Result<Loaded, Error> {
    let model = Model::from_bytes("the model", bytes)?;
    let config = model.extra.get("config").map_or("", String::as_str);
    let config = Config::from_toml("the model", config)?;
    Loaded::new(model, config)
}

/// Arrays `[T, channels]` as the file they could have been.
fn sequences_of(arrays: &[PyReadonlyArray2<'_, f64>], model: &LabelModel) -> PyResult<Sequences> {
    let channels: Vec<String> = model.channels().iter().map(|c| c.to_string()).collect();
    let mut all = Sequences::new("the sequences", channels);
    for (i, array) in arrays.iter().enumerate() {
        let array = array.as_array();
        let (steps, width) = array.dim();
        if steps == 0 || width != all.channels.len() {
            return Err(PyValueError::new_err(format!(
                "sequence {i} has the shape ({steps}, {width}), and the model reads at least one step of {} channels",
                all.channels.len()
            )));
        }
        let numbers: Vec<f32> = array.iter().map(|&x| x as f32).collect();
        if let Some(at) = numbers.iter().position(|x| !x.is_finite()) {
            return Err(PyValueError::new_err(format!(
                "step {} of sequence {i} holds {}, which no 32-bit float holds",
                at / width,
                array[[at / width, at % width]]
            )));
        }
        all.push(Some(&i.to_string()), &numbers)
            .map_err(|e| errors::training(e.into()))?;
    }
    Ok(all)
}
